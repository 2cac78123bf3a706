#include "pipeline/internal.h"

/* How far the other side is behind, from what is known without asking: what was put off, and since
 * when no cycle was complete. A complete cycle has applied all that showed when it began; what a
 * failing one has not come to showed after the last complete one began. */

static int64_t earlier(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

void lag_waits(struct cycle *c, enum change_side target, int64_t since)
{
    c->waiting_since[target] = earlier(c->waiting_since[target], since);
}

/* A cycle that is not complete may not have come to what was put off before. */
void lag_cycle_ended(const struct cycle *c, bool complete)
{
    int64_t *waiting = c->p->waiting_since;
    for (size_t i = 0; i < ARRAY_LEN(c->waiting_since); i++)
        waiting[i] = complete ? c->waiting_since[i] : earlier(waiting[i], c->waiting_since[i]);
}

int64_t lag_of(const struct pipeline *p, enum change_side target, int64_t now)
{
    int64_t since = p->status.completed_us ? p->status.completed_us : p->checkpoint.completed;
    if (since == 0)
        since = p->created;
    since = earlier(since, p->waiting_since[target]);
    return now > since ? now - since : 0;
}
