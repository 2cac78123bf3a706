#ifndef MAP_CODEC_TEXT_H
#define MAP_CODEC_TEXT_H

#include "map/codec.h"

/* text and ascii: JSON strings, any character of the type, the empty one included. Numbers,
 * booleans and objects are refused: they would come back as strings. */
map_to_json_fn map_text_to_json;
map_from_json_fn map_text_from_json;
map_to_text_fn map_text_to_text;
map_from_text_fn map_text_from_text;

#endif
