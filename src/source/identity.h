#ifndef SOURCE_IDENTITY_H
#define SOURCE_IDENTITY_H

#include "es/client.h"
#include "source/table.h"

/* Which stores these are: a table or index that is made anew has its name, but not its number. */
enum { SOURCE_IDENTITY_MAX = 96 };

/* For tasks. Errors: of the requests. */
MUST_USE bool source_identity(struct cql_client *cassandra, struct es_client *elasticsearch,
                              const struct source_table_options *table,
                              char out[SOURCE_IDENTITY_MAX], struct err *err);

#endif
