#ifndef MAP_CODEC_ARRAY_H
#define MAP_CODEC_ARRAY_H

#include "map/codec.h"

/* list, set, tuple, vector: arrays. Nulls only in tuples; tuples and vectors have as many values as
 * their type says; of equal elements of a set the first counts, and it is written in the order that
 * the server gives it. */
map_to_json_fn map_array_to_json;
map_from_json_fn map_array_from_json;

#endif
