#include "io/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct io_loop *loop;
    struct io_group group;
    struct io_wake wake;
    int steps[8];
    int count;
    bool raised;
};

static void note(struct fixture *f, int step)
{
    f->steps[f->count++] = step;
}

static void on_done(void *ctx)
{
    struct fixture *f = ctx;
    note(f, 2);
    io_group_done(&f->group);
}

static void group_task(void *ctx)
{
    struct fixture *f = ctx;
    note(f, 1);
    for (int i = 0; i < 3; i++) {
        io_group_add(&f->group);
        io_timer_start(f->loop, (uint64_t)i, on_done, f);
    }
    io_group_wait_below(&f->group, 1);
    note(f, 3);
    io_group_wait(&f->group);
    note(f, 4);
}

static void test_group_waits_for_all(void **state)
{
    (void)state;
    struct fixture f = {.loop = io_loop_new(NULL)};
    io_task_start(f.loop, group_task, &f, NULL);
    io_loop_run(f.loop);
    assert_int_equal(f.count, 6);
    assert_int_equal(f.steps[0], 1);
    assert_int_equal(f.steps[1], 2);
    assert_int_equal(f.steps[2], 2);
    /* on a busy machine the third timer may fire before the task has gone on */
    assert_int_equal(f.steps[3] + f.steps[4], 2 + 3);
    assert_int_equal(f.steps[5], 4);
    io_loop_free(f.loop);
}

static void raise_wake(void *ctx)
{
    struct fixture *f = ctx;
    note(f, 2);
    io_wake_raise(&f->wake);
}

static void sleep_task(void *ctx)
{
    struct fixture *f = ctx;
    note(f, 1);
    f->raised = io_sleep(f->loop, 10000, &f->wake);
    note(f, 3);
}

static void ended(void *ctx)
{
    note(ctx, 9);
}

static void test_wake_ends_sleep_early(void **state)
{
    (void)state;
    struct fixture f = {.loop = io_loop_new(NULL)};
    io_task_start(f.loop, sleep_task, &f, ended);
    io_timer_start(f.loop, 5, raise_wake, &f);
    io_loop_run(f.loop);
    const int expected[] = {1, 2, 3, 9};
    assert_true(f.raised);
    assert_int_equal(f.count, 4);
    assert_memory_equal(f.steps, expected, sizeof expected);
    io_loop_free(f.loop);
}

static void short_sleep_task(void *ctx)
{
    struct fixture *f = ctx;
    f->raised = io_sleep(f->loop, 5, &f->wake);
    note(f, f->raised);
}

/* The timer and the wake fall into one turn of the loop: the task must go on once only. */
static void test_wake_and_timeout_together(void **state)
{
    (void)state;
    for (int delay = 4; delay <= 6; delay++) {
        struct fixture f = {.loop = io_loop_new(NULL)};
        io_task_start(f.loop, short_sleep_task, &f, ended);
        io_timer_start(f.loop, (uint64_t)delay, raise_wake, &f);
        uint64_t until = uv_hrtime() + 20 * 1000000ULL;
        while (uv_hrtime() < until) { /* both are overdue when the loop looks */
        }
        io_loop_run(f.loop);
        int ends = 0;
        for (int i = 0; i < f.count; i++)
            ends += f.steps[i] == 9;
        assert_int_equal(ends, 1);
        io_loop_free(f.loop);
    }
}

static void deep_task(void *ctx)
{
    volatile char deep[200 * 1024];
    for (size_t i = 0; i < sizeof deep; i += 512)
        deep[i] = 1;
    *(int *)ctx += deep[0];
}

static void test_many_tasks_with_deep_stacks(void **state)
{
    (void)state;
    struct io_loop *loop = io_loop_new(NULL);
    int sum = 0;
    for (int i = 0; i < 50; i++)
        io_task_start(loop, deep_task, &sum, NULL);
    io_loop_run(loop);
    assert_int_equal(sum, 50);
    io_loop_free(loop);
}

static void must_not_fire(void *ctx)
{
    (void)ctx;
    fail_msg("a cancelled timer fired");
}

static void test_cancelled_timer_is_silent(void **state)
{
    (void)state;
    struct io_loop *loop = io_loop_new(NULL);
    io_timer_cancel(io_timer_start(loop, 1, must_not_fire, NULL));
    io_timer_cancel(NULL);
    io_loop_run(loop);
    io_loop_free(loop);
}

struct locked {
    struct fixture *f;
    struct io_lock *lock;
    int number;
};

static void lock_task(void *ctx)
{
    struct locked *l = ctx;
    io_lock_take(l->lock);
    note(l->f, l->number);
    io_sleep(l->f->loop, 1, NULL);
    note(l->f, l->number);
    io_lock_give(l->lock);
}

static void test_lock_in_order(void **state)
{
    (void)state;
    struct fixture f = {.loop = io_loop_new(NULL)};
    struct io_lock lock = {0};
    struct locked tasks[3];
    for (int i = 0; i < 3; i++) {
        tasks[i] = (struct locked){&f, &lock, i + 1};
        io_task_start(f.loop, lock_task, &tasks[i], NULL);
    }
    io_loop_run(f.loop);
    assert_false(lock.held);
    static const int expected[] = {1, 1, 2, 2, 3, 3};
    assert_int_equal(f.count, 6);
    assert_memory_equal(f.steps, expected, sizeof expected);
    io_loop_free(f.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_waits_for_all),
        cmocka_unit_test(test_wake_ends_sleep_early),
        cmocka_unit_test(test_wake_and_timeout_together),
        cmocka_unit_test(test_many_tasks_with_deep_stacks),
        cmocka_unit_test(test_cancelled_timer_is_silent),
        cmocka_unit_test(test_lock_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
