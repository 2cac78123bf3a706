#ifndef MAP_VINT_H
#define MAP_VINT_H

#include "base/attr.h"
#include "base/slice.h"

#include <stdint.h>

/* [unsigned vint], native protocol v5, section 3. */

enum { MAP_VINT_MAX = 9 };

/* Takes one off the front of s; false when it is cut off. */
MUST_USE bool map_vint_read(struct slice *s, uint64_t *v);
/* Returns how many bytes were written to out. */
size_t map_vint_write(char out[MAP_VINT_MAX], uint64_t v);

#endif
