#include "map/members.h"

#include "base/mem.h"

#include <stdlib.h>
#include <xxhash.h>

enum { SMALL = 16 };

static const struct json_node **locate(const struct map_members *m, struct slice key)
{
    uint32_t at = (uint32_t)XXH3_64bits(key.ptr, key.len) & m->mask;
    while (m->last[at] && !slice_equal(m->last[at]->key, key))
        at = (at + 1) & m->mask;
    return &m->last[at];
}

void map_members_open(struct map_members *m, const struct json_node *object)
{
    *m = (struct map_members){.object = object};
    if (object->children <= SMALL)
        return;
    size_t size = 2 * SMALL;
    while (size < 2 * (size_t)object->children)
        size *= 2;
    m->mask = (uint32_t)(size - 1);
    m->last = mem_array(size, sizeof(void *));
    for (const struct json_node *n = json_first(object); n; n = json_next(object, n))
        *locate(m, n->key) = n;
}

void map_members_close(struct map_members *m)
{
    free((void *)m->last);
}

bool map_members_is_last(const struct map_members *m, const struct json_node *n)
{
    if (m->last)
        return *locate(m, n->key) == n;
    for (const struct json_node *later = n; (later = json_next(m->object, later));)
        if (slice_equal(later->key, n->key))
            return false;
    return true;
}
