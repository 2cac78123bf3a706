#include "job/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Hands that can't begin are left out, and said. */

static int warned;
static struct io_loop *home;

static void on_line(void *ctx, enum log_level level, const char *name, const char *text)
{
    (void)ctx;
    (void)name;
    warned += level == LOG_WARNING && strstr(text, "goes on with fewer") != NULL;
}

static bool no_clients(void *ctx, struct io_loop *loop, struct cql_client **cassandra,
                       struct es_client **elasticsearch, struct err *err)
{
    (void)ctx;
    (void)loop;
    (void)cassandra;
    (void)elasticsearch;
    return err_set(err, ERR_CONFIG, "none today");
}

/* Nobody listens there. */
static bool clients_of_nobody(void *ctx, struct io_loop *loop, struct cql_client **cassandra,
                              struct es_client **elasticsearch, struct err *err)
{
    const char *const points[] = {"127.0.0.1:1"}, *const hosts[] = {"http://127.0.0.1:1"};
    const struct cql_options cql = {.contact_points = points, .contact_point_count = 1};
    const struct es_options es = {.hosts = hosts, .host_count = 1, .index = "any"};
    (void)ctx;
    *cassandra = cql_client_new(loop, &cql, err);
    *elasticsearch = es_client_new(loop, &es, err);
    return *cassandra && *elasticsearch;
}

static void never(void *ctx, struct job_hand *hand)
{
    (void)hand;
    ++*(int *)ctx;
}

struct hiring {
    bool (*clients)(void *ctx, struct io_loop *loop, struct cql_client **cassandra,
                    struct es_client **elasticsearch, struct err *err);
};

static void hire(void *ctx)
{
    static const struct log log = {.level = LOG_WARNING, .write = on_line};
    static const struct pipeline_options pipeline = {.log = &log};
    const struct job_stores stores = {.loop = home, .options = &pipeline};
    const struct hiring *hiring = ctx;
    const struct job_crew_options options = {
        .hands = 3, .stores = &stores, .clients = hiring->clients};
    struct job_crew *crew = job_crew_new(&options);
    int called = 0;
    job_crew_each(crew, never, &called);
    job_crew_stop(crew);
    assert_int_equal(job_crew_count(crew) + (unsigned)called, 0);
    job_crew_free(crew);
}

static void test_hands_that_cannot_begin(void **state)
{
    (void)state;
    struct hiring without = {no_clients}, nobody = {clients_of_nobody};
    home = io_loop_new(NULL);
    warned = 0;
    io_task_start(home, hire, &without, NULL);
    io_loop_run(home);
    assert_int_equal(warned, 3);
    io_task_start(home, hire, &nobody, NULL);
    io_loop_run(home);
    assert_int_equal(warned, 6);
    assert_int_equal(job_crew_count(NULL), 0);
    io_loop_free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hands_that_cannot_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
