#ifndef MAP_CODEC_BIG_H
#define MAP_CODEC_BIG_H

#include "map/codec.h"

/* varint: a JSON number, all digits; 1e3 and 1.0 are read too. Newer Elasticsearch takes no number
 * of more than 1,000 characters: a longer one is a string, and only then a string is read. decimal:
 * a string such as "12.340" or "5E+7", because whoever reads a number into a double and writes it
 * back would change it; digits and scale come back as they were. From JSON numbers are read as
 * well. Both: up to 10,000 digits, beyond them refused. */
map_to_text_fn map_varint_to_text;
map_to_json_fn map_varint_to_json;
map_from_text_fn map_varint_from_text;
map_from_json_fn map_varint_from_json;
map_to_text_fn map_decimal_to_text;
map_from_text_fn map_decimal_from_text;
map_from_json_fn map_decimal_from_json;

/* Appends the digits of a varint without its sign, "0" for zero. Errors: ERR_VALUE. */
MUST_USE bool map_big_digits(struct slice cell, const char *type_name, struct buf *digits,
                             bool *negative, struct err *err);

#endif
