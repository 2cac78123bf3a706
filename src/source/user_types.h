#ifndef SOURCE_USER_TYPES_H
#define SOURCE_USER_TYPES_H

#include "cql/client.h"
#include "map/user_type.h"

/* The user-defined types of a keyspace, in arena. For tasks. */
MUST_USE bool source_user_types(struct cql_client *client, const char *keyspace,
                                struct arena *arena, const struct map_user_types **types,
                                struct err *err);
/* Whether a type as system_schema spells it names one. */
bool source_is_user_type(struct slice type);

#endif
