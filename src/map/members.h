#ifndef MAP_MEMBERS_H
#define MAP_MEMBERS_H

#include "base/json.h"

/* Of an object's members with the same name only the last counts. This tells which those are,
 * without comparing each with all others where they are many. */
struct map_members {
    const struct json_node *object;
    const struct json_node **last; /* by name; NULL for small objects */
    uint32_t mask;
};

/* Borrows object. */
void map_members_open(struct map_members *m, const struct json_node *object);
void map_members_close(struct map_members *m);
bool map_members_is_last(const struct map_members *m, const struct json_node *n);

#endif
