#ifndef CQL_TOKEN_H
#define CQL_TOKEN_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

/* Where a partition lies on the ring of the Murmur3Partitioner, the only one that is supported. */

/* Appends the partition key as the partitioner sees it: a single column's cell as it is, several
 * each as length (2 bytes), cell and a zero byte. Cells are not null and at most 65535 bytes. */
void cql_token_key(const struct slice *cells, size_t count, struct buf *out);
/* Its token. */
int64_t cql_token(struct slice key);

#endif
