#ifndef MAP_CODEC_BLOB_H
#define MAP_CODEC_BLOB_H

#include "map/codec.h"

/* blob: base64 with padding (RFC 4648 section 4), as Elasticsearch's binary fields have it. */
map_to_text_fn map_blob_to_text;
map_from_text_fn map_blob_from_text;

#endif
