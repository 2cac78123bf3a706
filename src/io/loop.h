#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* The event loop of one thread. Everything below src/ that does I/O belongs to one loop and is
 * called on its thread only; io_loop_post and io_loop_call are for all threads. */
struct io_loop;

struct io_loop *io_loop_new(struct err *err);
/* Runs what is still closing, then frees it. All tasks must have ended. */
void io_loop_free(struct io_loop *loop);
/* Borrowed; for modules that own handles. Handles are freed only in their close callback. */
uv_loop_t *io_loop_uv(struct io_loop *loop);

/* Runs until io_loop_stop, or until no handle and no task is left. */
void io_loop_run(struct io_loop *loop);
void io_loop_stop(struct io_loop *loop);

typedef void io_loop_fn(void *ctx);
/* fn is called on the loop's thread, from the loop, in the order of posting. */
void io_loop_post(struct io_loop *loop, io_loop_fn *fn, void *ctx);
/* The same, and returns after it; at once where io_loop_is_here. Not from a loop's thread towards
 * one whose thread may do the same: they would wait for each other. */
void io_loop_call(struct io_loop *loop, io_loop_fn *fn, void *ctx);
/* The caller may use what belongs to the loop: no other thread has it. */
bool io_loop_is_here(struct io_loop *loop);

/* A thread of its own has the loop from io_thread_start until it has ended fn, which runs the loop,
 * and what was posted by then. */
struct io_thread;
MUST_USE struct io_thread *io_thread_start(struct io_loop *loop, io_loop_fn *fn, void *ctx,
                                           struct err *err);
/* Waits for its end, and frees it. The loop is the caller's again. */
void io_thread_join(struct io_thread *thread);

/* Calls back once after delay_ms (0: in the next turn of the loop) unless cancelled. */
struct io_timer;
typedef void io_timer_fn(void *ctx);
struct io_timer *io_timer_start(struct io_loop *loop, uint64_t delay_ms, io_timer_fn *fn,
                                void *ctx);
/* Ends a timer that has not fired; NULL is allowed. A timer that fired has freed itself. */
void io_timer_cancel(struct io_timer *timer);

#endif
