#include "io/loop.h"
#include "io/task.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Loops on threads of their own, and what is asked of them from elsewhere. */

enum { POSTS = 1000, LOOPS = 3 };

struct world {
    struct io_loop *loop, *home;
    struct io_wake stop;
    pthread_t thread; /* that ran the last call */
    int calls, order_broken, ended;
};

static void run(void *ctx)
{
    struct world *w = ctx;
    io_sleep(w->loop, 60000, &w->stop);
}

static void on_end(void *ctx)
{
    struct world *w = ctx;
    io_loop_stop(w->loop);
}

static void serve(void *ctx)
{
    struct world *w = ctx;
    io_task_start(w->loop, run, w, on_end);
    io_loop_run(w->loop);
}

static void stop(void *ctx)
{
    struct world *w = ctx;
    io_wake_raise(&w->stop);
}

static void note(void *ctx)
{
    struct world *w = ctx;
    w->thread = pthread_self();
    w->calls++;
}

static void open_world(struct world *w)
{
    *w = (struct world){.loop = io_loop_new(NULL)};
    assert_non_null(w->loop);
}

static void test_a_call_runs_on_the_loops_thread(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_true(io_loop_is_here(w.loop));
    io_loop_call(w.loop, note, &w); /* nobody runs it: at once */
    assert_int_equal(w.calls, 1);
    assert_true(pthread_equal(w.thread, pthread_self()));

    struct io_thread *thread = io_thread_start(w.loop, serve, &w, NULL);
    assert_non_null(thread);
    assert_false(io_loop_is_here(w.loop));
    for (int i = 0; i < 100; i++)
        io_loop_call(w.loop, note, &w);
    assert_int_equal(w.calls, 101);
    assert_false(pthread_equal(w.thread, pthread_self()));
    io_loop_call(w.loop, stop, &w);
    io_thread_join(thread);

    assert_true(io_loop_is_here(w.loop));
    io_loop_call(w.loop, note, &w);
    assert_true(pthread_equal(w.thread, pthread_self()));
    io_loop_free(w.loop);
}

struct numbered {
    struct world *w;
    int number;
};

static void in_order(void *ctx)
{
    const struct numbered *n = ctx;
    n->w->order_broken += n->w->calls != n->number;
    n->w->calls++;
}

/* All of them are called, the last ones while the thread ends. */
static void test_posts_keep_their_order(void **state)
{
    (void)state;
    static struct numbered posts[POSTS];
    struct world w;
    open_world(&w);
    struct io_thread *thread = io_thread_start(w.loop, serve, &w, NULL);
    assert_non_null(thread);
    for (int i = 0; i < POSTS; i++) {
        posts[i] = (struct numbered){&w, i};
        io_loop_post(w.loop, in_order, &posts[i]);
        if (i == POSTS / 2)
            io_loop_post(w.loop, stop, &w);
    }
    io_thread_join(thread);
    io_loop_free(w.loop); /* and those that came too late for the thread */
    assert_int_equal(w.calls, POSTS);
    assert_int_equal(w.order_broken, 0);
}

static void count_end(void *ctx)
{
    struct world *home = ctx;
    if (++home->ended == LOOPS)
        io_wake_raise(&home->stop);
}

static void serve_and_tell(void *ctx)
{
    struct world *w = ctx;
    serve(w);
    for (int i = 0; i < POSTS; i++)
        io_loop_post(w->home, note, (struct world *)w + 1);
}

/* Several tell one, which asks them. */
static void test_several(void **state)
{
    (void)state;
    struct world home, w[2 * LOOPS]; /* each with a count of its own behind it, home's */
    struct io_thread *threads[LOOPS];
    open_world(&home);
    for (int i = 0; i < LOOPS; i++) {
        open_world(&w[2 * i]);
        w[2 * i].home = home.loop;
        w[2 * i + 1] = (struct world){0};
        threads[i] = io_thread_start(w[2 * i].loop, serve_and_tell, &w[2 * i], NULL);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < LOOPS; i++) {
        io_loop_call(w[2 * i].loop, stop, &w[2 * i]);
        io_thread_join(threads[i]);
        io_loop_post(home.loop, count_end, &home);
    }
    io_task_start(home.loop, run, &home, on_end);
    io_loop_run(home.loop);
    assert_int_equal(home.ended, LOOPS);
    for (int i = 0; i < LOOPS; i++) {
        assert_int_equal(w[2 * i + 1].calls, POSTS);
        assert_true(pthread_equal(w[2 * i + 1].thread, pthread_self()));
        io_loop_free(w[2 * i].loop);
    }
    io_loop_free(home.loop);
}

enum { VISITORS = 4, VISITS = 50 };

struct visiting {
    struct world *there, *home;
    pthread_t home_thread;
    int at_home, away, wrong;
};

/* A task of home, while the one that came waits away. */
static void back_home(void *ctx)
{
    struct visiting *v = ctx;
    v->wrong += !pthread_equal(pthread_self(), v->home_thread) || !io_task_self();
    v->at_home++;
    io_sleep(v->home->loop, 0, NULL);
}

static void visit(void *ctx)
{
    struct visiting *v = ctx;
    v->wrong += pthread_equal(pthread_self(), v->home_thread) || !io_task_self();
    v->away++;
    io_sleep(v->there->loop, 0, NULL);
    io_task_visit(v->there->loop, v->home->loop, back_home, v);
}

static void visitor(void *ctx)
{
    struct visiting *v = ctx;
    for (int i = 0; i < VISITS; i++)
        io_task_visit(v->home->loop, v->there->loop, visit, v);
}

static void visitor_ended(void *ctx)
{
    struct visiting *v = ctx;
    if (++v->home->ended == VISITORS)
        io_wake_raise(&v->home->stop);
}

/* Tasks go to another thread, and from there to home, and come back to where they were. */
static void test_visits(void **state)
{
    (void)state;
    struct world home, there;
    struct visiting all[VISITORS];
    open_world(&home);
    open_world(&there);
    struct io_thread *thread = io_thread_start(there.loop, serve, &there, NULL);
    assert_non_null(thread);
    io_task_start(home.loop, run, &home, on_end);
    for (int i = 0; i < VISITORS; i++) {
        all[i] = (struct visiting){.there = &there, .home = &home, .home_thread = pthread_self()};
        io_task_start(home.loop, visitor, &all[i], visitor_ended);
    }
    io_loop_run(home.loop);
    io_loop_call(there.loop, stop, &there);
    io_thread_join(thread);
    assert_int_equal(home.ended, VISITORS);
    for (int i = 0; i < VISITORS; i++) {
        assert_int_equal(all[i].at_home, VISITS);
        assert_int_equal(all[i].away, VISITS);
        assert_int_equal(all[i].wrong, 0);
    }
    io_loop_free(there.loop);
    io_loop_free(home.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_runs_on_the_loops_thread),
        cmocka_unit_test(test_posts_keep_their_order),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_visits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
