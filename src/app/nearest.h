#ifndef APP_NEAREST_H
#define APP_NEAREST_H

#include <stdbool.h>

/* Edits (insert, delete, replace, swap neighbours) between two names, regardless of case;
 * UINT_MAX for names beyond 64 bytes. */
unsigned nearest_distance(const char *a, const char *b);
/* Whether a distance is small enough, for a name of this length, to be a slip of the finger. */
bool nearest_plausible(const char *name, unsigned distance);

#endif
