#ifndef MAP_CODEC_NET_H
#define MAP_CODEC_NET_H

#include "map/codec.h"

/* uuid, timeuuid: lower case to JSON, either case from it. inet: RFC 5952 to JSON, any form of
 * RFC 4291 without a zone from it; 16 bytes that hold an IPv4 address stay 16 bytes
 * ("::ffff:192.0.2.1"). */
map_to_text_fn map_uuid_to_text;
map_from_text_fn map_uuid_from_text;
map_to_text_fn map_inet_to_text;
map_from_text_fn map_inet_from_text;

#endif
