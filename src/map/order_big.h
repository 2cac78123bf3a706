#ifndef MAP_ORDER_BIG_H
#define MAP_ORDER_BIG_H

#include "base/slice.h"

/* Cells of varint and decimal by their value: below, equal to or above 0. Those that are none, or
 * have more digits than can be converted, are ordered by their bytes. */
int map_varint_order(struct slice a, struct slice b);
int map_decimal_order(struct slice a, struct slice b);

/* The shortest encoding of a varint. */
struct slice map_varint_trim(struct slice cell);

#endif
