#ifndef STATUS_JUDGE_H
#define STATUS_JUDGE_H

#include "status/snapshot.h"

/* How a pipeline is doing, from the facts of a snapshot. age_us: how old the snapshot is by now; an
 * old one means that the loop which should have made a newer one stands still. */

/* name for programs, what it means */
#define STATUS_STATES(X)                                                                       \
    X(STARTING, "starting", "no cycle has been completed since the daemon's start")            \
    X(IN_SYNC, "in_sync", "cycles are completed as they should")                               \
    X(CATCHING_UP, "catching_up", "a long cycle goes on, and requests are acknowledged")       \
    X(WAITING, "waiting", "a server does not answer, or refuses for a passing reason")         \
    X(FAILING, "failing", "cycles can't be completed for another reason")                      \
    X(STUCK, "stuck", "no cycle ends, no request is acknowledged, although servers answer")    \
    X(PAUSED, "paused", "nothing is copied: somebody paused it, or the dead letters are full") \
    X(GAP, "gap", "changes may have been missed while the daemon was away for more than ttl")  \
    X(RELOADING, "reloading", "between two configurations")

enum status_state {
#define STATUS_ENUM(id, name, text) STATUS_##id,
    STATUS_STATES(STATUS_ENUM)
#undef STATUS_ENUM
};
const char *status_state_name(enum status_state state);

enum status_level { STATUS_FINE, STATUS_ATTENTION, STATUS_TROUBLE };
/* "fine", "attention", "trouble" */
const char *status_level_name(enum status_level level);

struct status_verdict {
    enum status_state state;
    enum status_level level;
    bool healthy;       /* what `status` exits by */
    bool ready;         /* what /readyz says */
    int64_t since_us;   /* the state has lasted since then; 0: not told */
    char text[800];     /* the state in words, one line */
    char obstacle[800]; /* why it is not ready; "" when it is */
};

void status_judge(const struct status_snapshot *snapshot, const struct status_pipeline *pipeline,
                  int64_t age_us, struct status_verdict *out);
/* The worst of all pipelines; text of more than one begins with the pipeline's name. */
void status_judge_all(const struct status_snapshot *snapshot, int64_t age_us,
                      struct status_verdict *out);
/* Whether the loop makes no snapshots any more. */
bool status_stands_still(int64_t age_us);

#endif
