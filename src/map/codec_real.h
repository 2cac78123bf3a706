#ifndef MAP_CODEC_REAL_H
#define MAP_CODEC_REAL_H

#include "map/codec.h"

/* float, double: the shortest number that reads back as the same value; from JSON the nearest
 * value, and what is beyond the range at either end is refused. NaN and the infinities are refused,
 * or (a type with non_finite_text) the strings "NaN", "Infinity" and "-Infinity". Other strings are
 * refused: "1.5" would come back as 1.5. */
map_to_json_fn map_float_to_json;
map_from_json_fn map_float_from_json;
map_to_text_fn map_float_to_text;
map_from_text_fn map_float_from_text;
map_to_json_fn map_double_to_json;
map_from_json_fn map_double_from_json;
map_to_text_fn map_double_to_text;
map_from_text_fn map_double_from_text;

#endif
