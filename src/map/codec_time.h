#ifndef MAP_CODEC_TIME_H
#define MAP_CODEC_TIME_H

#include "map/codec.h"

/* timestamp: "2015-03-25T03:30:12.000Z", date: "2015-03-25"; outside the years 0 to 9999, where
 * Elasticsearch's strict forms end, the milliseconds since 1970 as a number. The calendar is the
 * proleptic Gregorian one.
 * Read are the forms that strict_date_optional_time||epoch_millis takes: a number or a string of
 * five digits and more is milliseconds; YYYY[-MM[-DD]], with T and HH[:MM[:SS[.fraction]]] and
 * Z, +HH, +HHMM or +HH:MM (none: UTC); signed years of up to nine digits. Refused: what is finer
 * than a millisecond, and for date what is not midnight UTC. */
map_to_json_fn map_timestamp_to_json;
map_from_json_fn map_timestamp_from_json;
map_to_text_fn map_timestamp_to_text;
map_from_text_fn map_timestamp_from_text;
map_to_json_fn map_date_to_json;
map_from_json_fn map_date_from_json;
map_to_text_fn map_date_to_text;
map_from_text_fn map_date_from_text;

#endif
