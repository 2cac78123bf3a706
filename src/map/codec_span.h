#ifndef MAP_CODEC_SPAN_H
#define MAP_CODEC_SPAN_H

#include "map/codec.h"

/* time: "13:30:54.234000000", read also without seconds or with fewer digits of them. duration:
 * as Cassandra's shell writes it, "1y2mo3d4h5m6s7ms8us9ns" with "-" before all of it, zero is
 * "0s"; read are these units in any order of size once each, weeks ("w"), and ISO 8601's
 * "P1Y2M3DT4H5M6S" and "P2W" in whole numbers. */
map_to_text_fn map_time_to_text;
map_from_text_fn map_time_from_text;
map_to_text_fn map_duration_to_text;
map_from_text_fn map_duration_from_text;

#endif
