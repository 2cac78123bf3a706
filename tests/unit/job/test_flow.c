#include "job/flow.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct io_loop *loop;
static struct io_wake stop;

static void in_task(io_task_fn *fn)
{
    loop = io_loop_new(NULL);
    stop = (struct io_wake){0};
    io_task_start(loop, fn, NULL, NULL);
    io_loop_run(loop);
    io_loop_free(loop);
}

static void one(struct job_flow *f, enum err_code code)
{
    job_flow_leave(f, job_flow_enter(f), code);
}

static void up_and_down(void *ctx)
{
    (void)ctx;
    struct job_flow f;
    job_flow_open(&f, loop, &stop, 4, 100, 1600);
    assert_int_equal(f.window, 4);
    assert_int_equal(f.batch, 1600);
    one(&f, ERR_OVERLOADED);
    assert_int_equal(f.window, 2);
    assert_int_equal(f.batch, 800);
    one(&f, ERR_TIMEOUT);
    one(&f, ERR_CONNECTION);
    one(&f, ERR_UNAVAILABLE);
    one(&f, ERR_OVERLOADED);
    assert_int_equal(f.window, 1);
    assert_int_equal(f.batch, 100);
    one(&f, ERR_NONE);
    assert_int_equal(f.window, 2);
    assert_int_equal(f.batch, 201);
    one(&f, ERR_VALUE); /* the record's fault, not the server's */
    assert_int_equal(f.window, 2);
    one(&f, ERR_NONE);
    assert_int_equal(f.window, 3);
    for (int i = 0; i < 100; i++)
        one(&f, ERR_NONE);
    assert_int_equal(f.window, 4);
    assert_int_equal(f.batch, 1600);
}

static void additive_increase_multiplicative_decrease(void **state)
{
    (void)state;
    in_task(up_and_down);
}

/* What was under way when it was halved says nothing new. */
static void together(void *ctx)
{
    (void)ctx;
    struct job_flow f;
    struct job_flow_turn turns[4];
    job_flow_open(&f, loop, &stop, 4, 100, 1600);
    for (int i = 0; i < 4; i++)
        turns[i] = job_flow_enter(&f);
    for (int i = 0; i < 4; i++)
        job_flow_leave(&f, turns[i], ERR_OVERLOADED);
    assert_int_equal(f.window, 2);
    assert_int_equal(f.batch, 800);
}

static void failures_of_one_time_halve_once(void **state)
{
    (void)state;
    in_task(together);
}

enum { TASKS = 10 };
static struct job_flow shared;
static int inside, most, through;

static void visitor(void *ctx)
{
    (void)ctx;
    const struct job_flow_turn turn = job_flow_enter(&shared);
    inside++;
    most = inside > most ? inside : most;
    io_sleep(loop, 2, NULL);
    inside--;
    through++;
    job_flow_leave(&shared, turn, ERR_NONE);
}

static void the_window_bounds_what_is_under_way(void **state)
{
    (void)state;
    loop = io_loop_new(NULL);
    job_flow_open(&shared, loop, &stop, 3, 1, 1);
    inside = most = through = 0;
    for (int i = 0; i < TASKS; i++)
        io_task_start(loop, visitor, NULL, NULL);
    io_loop_run(loop);
    io_loop_free(loop);
    assert_int_equal(most, 3);
    assert_int_equal(through, TASKS);
    assert_true(shared.waited_us >= 2000ULL * TASKS);
}

static void pauses(void *ctx)
{
    (void)ctx;
    struct job_flow f;
    job_flow_open(&f, loop, &stop, 4, 100, 1600);
    one(&f, ERR_TIMEOUT);
    int64_t from = clock_mono_us();
    assert_true(job_flow_pause(&f));
    assert_in_range(clock_mono_us() - from, 45000, 5000000);
    for (int i = 0; i < 40; i++) /* no overflow of what doubles */
        one(&f, ERR_TIMEOUT);
    io_wake_raise(&stop);
    from = clock_mono_us();
    assert_false(job_flow_pause(&f));
    assert_true(clock_mono_us() - from < 4000000); /* not the 5 s at least of a whole one */
}

static void a_pause_ends_with_the_job(void **state)
{
    (void)state;
    in_task(pauses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(additive_increase_multiplicative_decrease),
                                       cmocka_unit_test(failures_of_one_time_halve_once),
                                       cmocka_unit_test(the_window_bounds_what_is_under_way),
                                       cmocka_unit_test(a_pause_ends_with_the_job)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
