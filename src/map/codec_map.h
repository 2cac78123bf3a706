#ifndef MAP_CODEC_MAP_H
#define MAP_CODEC_MAP_H

#include "map/codec.h"

/* map: an object whose names are the keys' texts; where keys have none (collections, tuples, …) an
 * array of {"key":…,"value":…}. Nulls and two entries of one key are refused. */
map_to_json_fn map_map_to_json;
map_from_json_fn map_map_from_json;

#endif
