#ifndef CQL_TYPE_NAME_H
#define CQL_TYPE_NAME_H

#include "cql/type.h"

/* Native types by the names that schema tables ("int") and server classes ("Int32Type") give. */
struct cql_type_name {
    enum cql_type_id id;
    const char *cql;
    const char *class;
};

/* NULL when there is none; borrowed, static. */
const struct cql_type_name *cql_type_name_of(enum cql_type_id id);
const struct cql_type_name *cql_type_name_find(struct slice cql);
const struct cql_type_name *cql_type_name_find_class(struct slice class);

/* Whether a user-defined type of this name must be written in double quotes: it is no plain
 * identifier, a reserved word of CQL, or has the name of a built-in type. */
bool cql_type_name_needs_quotes(struct slice name);

/* Reads what stands for a type in the option CUSTOM: a class of the server with its parameters,
 * as "org.apache.cassandra.db.marshal.VectorType(…FloatType,3)". A class that is not known gives
 * CQL_CUSTOM. NULL with ERR_PROTOCOL for a malformed or too deeply nested one. */
MUST_USE const struct cql_type *cql_type_parse_class(struct slice text, struct arena *arena,
                                                     struct err *err);

#endif
