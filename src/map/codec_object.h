#ifndef MAP_CODEC_OBJECT_H
#define MAP_CODEC_OBJECT_H

#include "map/codec.h"

/* User-defined types: objects without the fields that are null. A member that is no field is
 * refused: a copy back would lose it. */
map_to_json_fn map_object_to_json;
map_from_json_fn map_object_from_json;

#endif
