#ifndef CQL_CRC_H
#define CQL_CRC_H

#include "base/slice.h"

#include <stdint.h>

/* The two checksums of protocol v5, specification section 2.2. */

/* Of a segment's header of 3 or 5 bytes. */
uint32_t cql_crc24(struct slice header);
/* Of a segment's payload: the usual CRC-32, started with the bytes FA 2D 55 CA. */
uint32_t cql_crc32(struct slice payload);

#endif
