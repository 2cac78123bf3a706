#ifndef UNIT_MAP_FIXTURE_H
#define UNIT_MAP_FIXTURE_H

#include "map/convert.h"

/* What the tests of map/ share: types and JSON that live as long as the program. */

extern struct arena fixture_arena;

const struct cql_type *fixture_type(const char *name);
/* The root of a document of its own; fails the test when text is no JSON. */
const struct json_node *fixture_json(const char *text);
/* Bytes written as "00ff 01"; NULL gives the null slice. */
struct slice fixture_bytes(const char *hex);
/* A table "name type kind, …" with kind p, c, s or r (regular when left out): "id uuid p, v int".
 */
const struct map_schema *fixture_schema(const char *columns, const struct map_options *options,
                                        struct err *err);

#endif
