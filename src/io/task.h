#ifndef IO_TASK_H
#define IO_TASK_H

#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>

/* Straight-line code on the event loop. A task is a function with a stack of its own
 * (ucontext); while it waits, the loop and other tasks go on. Callback APIs become sequential:
 *
 *     struct io_group group = {0};
 *     io_group_add(&group);  cql_execute(…, on_done, …);   // on_done calls io_group_done(&group)
 *     io_group_wait(&group);
 *
 * All of this is for the loop's thread only. Tasks are cooperative: between two waits nothing
 * else runs. */
struct io_task;
typedef void io_task_fn(void *ctx);

/* Starts in the next turn of the loop; on_end (may be NULL) is called from the loop afterwards. */
void io_task_start(struct io_loop *loop, io_task_fn *fn, void *ctx, io_task_fn *on_end);
/* The running task, or NULL on the loop's own stack. */
struct io_task *io_task_self(void);

/* Runs fn as a task of another loop, on the thread that runs that; the caller's task, of the loop
 * here, waits for its end. Both loops must go on until then. At once where both are the same. */
void io_task_visit(struct io_loop *here, struct io_loop *there, io_task_fn *fn, void *ctx);

/* Waits inside a task for a number of callbacks. Zero-initialised is empty. */
struct io_group {
    size_t pending;
    size_t limit; /* the waiter sleeps while pending is above it */
    struct io_task *waiter;
};
static inline void io_group_add(struct io_group *group)
{
    group->pending++;
}
/* To be called from the loop's stack or any task. */
void io_group_done(struct io_group *group);
/* Returns when nothing is pending; at once when nothing is. */
void io_group_wait(struct io_group *group);
/* Returns when pending is at most limit: keeps a bounded number in flight. */
void io_group_wait_below(struct io_group *group, size_t limit);

/* One task at a time, in the order of asking. Zero-initialised is free. */
struct io_lock {
    bool held;
    struct io_task *first, *last; /* those who wait */
};
void io_lock_take(struct io_lock *lock);
void io_lock_give(struct io_lock *lock);

/* Something that tasks sleep on: a sleep ends early when it is raised. */
struct io_wake {
    bool raised;
    struct io_task *waiter;
};
void io_wake_raise(struct io_wake *wake);
/* Sleeps for ms, or until wake (may be NULL) is raised; true when it was raised (the flag stays
 * up until the owner clears it). One sleeper per wake. */
bool io_sleep(struct io_loop *loop, uint64_t ms, struct io_wake *wake);

#endif
