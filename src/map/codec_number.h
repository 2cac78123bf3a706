#ifndef MAP_CODEC_NUMBER_H
#define MAP_CODEC_NUMBER_H

#include "map/codec.h"

/* tinyint, smallint, int, bigint, counter: read from the digits as written, never through a double;
 * 1.0 and 1e0 are 1, other fractions are refused. Strings are refused: "12" would come back as 12.
 */
map_to_text_fn map_integer_to_text;
map_from_text_fn map_integer_from_text;
map_from_json_fn map_integer_from_json;
map_to_text_fn map_boolean_to_text;
map_from_text_fn map_boolean_from_text;
map_from_json_fn map_boolean_from_json;

enum map_integer_fit { MAP_INTEGER, MAP_NO_NUMBER, MAP_FRACTION, MAP_OUT_OF_RANGE };

/* The exact value of a decimal number's text, as JSON writes it. */
enum map_integer_fit map_read_integer(struct slice text, int64_t *out);

#endif
