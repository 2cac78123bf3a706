#ifndef UNIT_MAP_FIXTURE_H
#define UNIT_MAP_FIXTURE_H

#include "map/convert.h"
#include "map/user_type.h"

/* What the tests of map/ share: types and JSON that live as long as the program. */

extern struct arena fixture_arena;

/* addr (street text, zip int), "Per.son" ("First Name" text, home frozen<addr>, tags set<varint>),
 * caes_json (json text) */
extern const struct map_user_types fixture_user_types;
/* Resolved; with '~' before it NaN and the infinities have a text form. */
const struct cql_type *fixture_type(const char *name);
/* As a column's value. What fixture_write returns lives until it is called again. */
bool fixture_read(const char *type, const char *json, struct slice *cell, struct err *err);
const char *fixture_write(const char *type, struct slice cell, struct err *err);
/* The root of a document of its own; fails the test when text is no JSON. */
const struct json_node *fixture_json(const char *text);
/* Bytes written as "00ff 01"; NULL gives the null slice. */
struct slice fixture_bytes(const char *hex);
/* A table "name type kind, …" with kind p, c, s or r (regular when left out): "id uuid p, v int".
 * A ';' in a type stands for a comma, and it has no blanks: "map<int;text>". */
const struct map_schema *fixture_schema(const char *columns, const struct map_options *options,
                                        struct err *err);

#endif
