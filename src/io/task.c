#include "io/task.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define HAVE_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

enum { STACK_SIZE = 512 * 1024 }; /* reserved, not used: pages come as they are touched */

struct io_task {
    ucontext_t context;
    ucontext_t caller;
    struct io_loop *loop;
    io_task_fn *fn;
    io_task_fn *on_end;
    void *ctx;
    char *stack;
    bool ended;
    struct io_task *next; /* behind it for the same lock */
    /* Sanitizers have to be told of every change of stack. */
    void *fake_stack;
    const void *caller_stack;
    size_t caller_stack_size;
    void *fiber, *caller_fiber; /* of ThreadSanitizer the same */
};

static _Thread_local struct io_task *current;

struct io_task *io_task_self(void)
{
    return current;
}

static void enter_stack(struct io_task *task)
{
#ifdef HAVE_ASAN
    __sanitizer_finish_switch_fiber(task->fake_stack, &task->caller_stack,
                                    &task->caller_stack_size);
#else
    (void)task;
#endif
}

/* Back to whoever resumed the task. */
static void leave_stack(struct io_task *task)
{
#ifdef HAVE_ASAN
    __sanitizer_start_switch_fiber(task->ended ? NULL : &task->fake_stack, task->caller_stack,
                                   task->caller_stack_size);
#endif
#ifdef HAVE_TSAN
    __tsan_switch_to_fiber(task->caller_fiber, 0);
#endif
    swapcontext(&task->context, &task->caller);
    enter_stack(task);
}

static void task_main(unsigned high, unsigned low)
{
    struct io_task *task = (struct io_task *)((uintptr_t)high << 32 | low);
    enter_stack(task);
    task->fn(task->ctx);
    task->ended = true;
    leave_stack(task);
}

static void end_task(struct io_task *task)
{
    io_task_fn *on_end = task->on_end;
    void *ctx = task->ctx;
    munmap(task->stack, STACK_SIZE);
#ifdef HAVE_TSAN
    __tsan_destroy_fiber(task->fiber);
#endif
    free(task);
    if (on_end)
        on_end(ctx);
}

static void resume(struct io_task *task)
{
    struct io_task *outer = current;
    current = task;
#ifdef HAVE_ASAN
    void *fake_stack = NULL;
    __sanitizer_start_switch_fiber(&fake_stack, task->stack, STACK_SIZE);
#endif
#ifdef HAVE_TSAN
    task->fiber = task->fiber ? task->fiber : __tsan_create_fiber(0);
    task->caller_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(task->fiber, 0);
#endif
    swapcontext(&task->caller, &task->context);
#ifdef HAVE_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    current = outer;
    if (task->ended)
        end_task(task);
}

static void on_resume(void *ctx)
{
    resume(ctx);
}

/* Tasks run on top of the loop, never inside another's callback: the one that wakes a task goes on
 * undisturbed, and a task never finds itself below somebody's half-done work. */
static void schedule(struct io_task *task)
{
    io_timer_start(task->loop, 0, on_resume, task);
}

void io_task_start(struct io_loop *loop, io_task_fn *fn, void *ctx, io_task_fn *on_end)
{
    struct io_task *task = mem_zalloc(sizeof *task);
    task->loop = loop;
    task->fn = fn;
    task->ctx = ctx;
    task->on_end = on_end;
    task->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (task->stack == MAP_FAILED)
        abort();
    mprotect(task->stack, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE); /* overflow faults */
    getcontext(&task->context);
    task->context.uc_stack.ss_sp = task->stack;
    task->context.uc_stack.ss_size = STACK_SIZE;
    task->context.uc_link = NULL;
    const uintptr_t self = (uintptr_t)task;
    makecontext(&task->context, (void (*)(void))task_main, 2, (unsigned)(self >> 32),
                (unsigned)self);
    schedule(task);
}

static void park(struct io_task **waiter)
{
    struct io_task *self = current;
    *waiter = self;
    leave_stack(self);
}

static void wake(struct io_task **waiter)
{
    struct io_task *task = *waiter;
    *waiter = NULL;
    if (task)
        schedule(task);
}

void io_group_done(struct io_group *group)
{
    group->pending--;
    if (group->waiter && group->pending <= group->limit)
        wake(&group->waiter);
}

void io_group_wait_below(struct io_group *group, size_t limit)
{
    group->limit = limit;
    while (group->pending > limit)
        park(&group->waiter);
}

void io_group_wait(struct io_group *group)
{
    io_group_wait_below(group, 0);
}

void io_lock_take(struct io_lock *lock)
{
    if (!lock->held) {
        lock->held = true;
        return;
    }
    current->next = NULL;
    if (lock->first)
        lock->last->next = current;
    else
        lock->first = current;
    lock->last = current;
    leave_stack(current); /* until it is handed over */
}

void io_lock_give(struct io_lock *lock)
{
    struct io_task *next = lock->first;
    lock->held = next != NULL;
    if (!next)
        return;
    lock->first = next->next;
    schedule(next);
}

/* --- elsewhere */

struct visit {
    struct io_loop *here, *there;
    io_task_fn *fn;
    void *ctx;
    struct io_group group;
};

static void on_returned(void *ctx)
{
    struct visit *v = ctx;
    io_group_done(&v->group);
}

static void on_visited(void *ctx)
{
    struct visit *v = ctx;
    io_loop_post(v->here, on_returned, v);
}

static void visit_main(void *ctx)
{
    const struct visit *v = ctx;
    v->fn(v->ctx);
}

static void on_arrived(void *ctx)
{
    struct visit *v = ctx;
    io_task_start(v->there, visit_main, v, on_visited);
}

void io_task_visit(struct io_loop *here, struct io_loop *there, io_task_fn *fn, void *ctx)
{
    struct visit v = {.here = here, .there = there, .fn = fn, .ctx = ctx};
    if (here == there) {
        fn(ctx);
        return;
    }
    io_group_add(&v.group);
    io_loop_post(there, on_arrived, &v);
    io_group_wait(&v.group);
}

/* --- sleep */

struct sleep {
    struct io_wake *wake;
    struct io_timer *timer;
    struct io_task *task;
};

static void on_sleep_end(void *ctx)
{
    struct sleep *sleep = ctx;
    sleep->timer = NULL;
    if (sleep->wake && !sleep->wake->waiter)
        return; /* raised in this very turn: the task is on its way already */
    if (sleep->wake)
        sleep->wake->waiter = NULL;
    wake(&sleep->task);
}

void io_wake_raise(struct io_wake *w)
{
    w->raised = true;
    wake(&w->waiter);
}

bool io_sleep(struct io_loop *loop, uint64_t ms, struct io_wake *w)
{
    if (w && w->raised)
        return true;
    struct sleep sleep = {.wake = w, .task = current};
    sleep.timer = io_timer_start(loop, ms, on_sleep_end, &sleep);
    if (w)
        w->waiter = current;
    leave_stack(current);
    io_timer_cancel(sleep.timer);
    return w && w->raised;
}
