#ifndef MAP_CODEC_ANY_H
#define MAP_CODEC_ANY_H

#include "map/codec.h"

/* Fields that no CQL type fits without loss (objects of any shape, geo_point with its five forms)
 * are kept as their JSON text: in a column of the type
 *     CREATE TYPE caes_json (json text)
 * that `init` makes. The type's name tells the program and people that it is no ordinary text.
 * Documents hold the value that the text stands for, rows the text without white space. */

#define MAP_ANY_TYPE  "caes_json"
#define MAP_ANY_FIELD "json"

/* Whether the (resolved) type is that one. */
bool map_any_is(const struct cql_type *type);
map_to_json_fn map_any_to_json;
map_from_json_fn map_any_from_json;
/* The text in its one form; null for a text "null". As it is where it is no JSON. */
struct slice map_any_normal(const struct cql_type *type, struct slice cell, struct arena *arena);

#endif
