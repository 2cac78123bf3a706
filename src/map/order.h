#ifndef MAP_ORDER_H
#define MAP_ORDER_H

#include "cql/type.h"

/* The order in which Cassandra keeps elements of sets and keys of maps (AbstractType.compare of
 * each type). It sorts those of a column by itself, but takes a set inside of another value as it
 * comes, and compares such values byte by byte: so what is written has to be in this order. */

/* Below, equal to or above 0. Decimals of one number are equal whatever their scale. Broken cells
 * are ordered by their bytes. */
int map_order(const struct cql_type *type, struct slice a, struct slice b);

/* Sorts the elements of a set; returns how many are left when of equal ones only one stays. */
uint32_t map_order_set(const struct cql_type *type, struct slice *values, uint32_t count);
/* Sorts the entries of a map by their keys, cells holds keys and values in turn; false when two
 * keys are equal. */
MUST_USE bool map_order_map(const struct cql_type *type, struct slice *cells, uint32_t count);

#endif
