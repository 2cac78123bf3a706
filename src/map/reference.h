#ifndef MAP_REFERENCE_H
#define MAP_REFERENCE_H

#include "base/buf.h"

/* What people read about types, made from the tables that convert them. */

/* For a terminal: `help types`. */
void map_reference_help(struct buf *out);
/* docs/types.md */
void map_reference_markdown(struct buf *out);

#endif
