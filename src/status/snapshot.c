#include "status/snapshot.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

struct status_snapshot *status_snapshot_new(size_t count)
{
    struct status_snapshot *s = mem_zalloc(sizeof *s);
    s->pipelines = arena_zalloc(&s->arena, (count + 1) * sizeof *s->pipelines);
    s->count = count;
    atomic_init(&s->references, 1);
    return s;
}

const char *status_snapshot_text(struct status_snapshot *s, const char *text)
{
    const size_t len = text ? strlen(text) : 0;
    char *copy = arena_zalloc(&s->arena, len + 1);
    memcpy(copy, text ? text : "", len);
    const bool valid = json_utf8_valid(slice_of(copy, len));
    for (size_t i = 0; !valid && i < len; i++)
        copy[i] = (unsigned char)copy[i] < 0x80 ? copy[i] : '?';
    return copy;
}

struct status_snapshot *status_snapshot_ref(struct status_snapshot *s)
{
    if (s)
        atomic_fetch_add(&s->references, 1);
    return s;
}

void status_snapshot_unref(struct status_snapshot *s)
{
    if (!s || atomic_fetch_sub(&s->references, 1) > 1)
        return;
    arena_free(&s->arena);
    free(s);
}
