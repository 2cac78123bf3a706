#include "app/service.h"

#include "status/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECOND = 1000000, WATCHDOG_MS = 90, TURNS_MS = 200 };

static const struct log quiet = {.level = LOG_OFF};
static char path[64];
static int manager;
static struct io_loop *loop;
static struct status_snapshot *s;
static char heard[4096]; /* datagrams, each with a newline behind it */

static void fill(struct status_pipeline *p, const char *name)
{
    *p = (struct status_pipeline){.name = name,
                                  .active = true,
                                  .interval_us = SECOND,
                                  .patience_us = SECOND,
                                  .ready_lag_us = 60 * SECOND,
                                  .completed_here = true,
                                  .cycle_us = -1,
                                  .failure = ""};
    for (size_t i = 0; i < 2; i++)
        p->servers[i] = (struct status_server){
            .name = i ? "Cassandra" : "Elasticsearch", .known = true, .up = true, .failure = ""};
}

static int setup(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct err err = {0};
    snprintf(path, sizeof path, "/tmp/caes-notify-%d", (int)getpid());
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(manager, (const struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", "90000", 1);
    unsetenv("WATCHDOG_PID");
    loop = io_loop_new(&err);
    s = status_snapshot_new(2);
    fill(&s->pipelines[0], "one");
    fill(&s->pipelines[1], "other");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    status_snapshot_unref(s);
    io_loop_free(loop);
    close(manager);
    return unlink(path);
}

static const char *listen_again(void)
{
    size_t len = 0;
    ssize_t got;
    char more[1024];
    while ((got = recv(manager, more, sizeof more, 0)) > 0) {
        if (len + (size_t)got + 2 > sizeof heard)
            continue; /* enough was heard */
        memcpy(heard + len, more, (size_t)got);
        len += (size_t)got;
        heard[len++] = '\n';
    }
    heard[len] = '\0';
    return heard;
}

static void on_time(void *ctx)
{
    (void)ctx;
    io_loop_stop(loop);
}

static const char *turn(void)
{
    io_timer_start(loop, TURNS_MS, on_time, NULL);
    io_loop_run(loop);
    return listen_again();
}

static void nobody_asked(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    struct service *service = service_open(loop, &quiet);
    assert_null(service);
    service_ready(service);
    service_reloading(service);
    service_look(service, s);
    service_stopping(service, NULL);
    service_close(service);
    assert_string_equal(turn(), "");
}

static void the_watchdog_is_fed_while_nothing_is_stuck(void **state)
{
    (void)state;
    struct service *service = service_open(loop, &quiet);
    assert_non_null(strstr(turn(), "WATCHDOG=1\nWATCHDOG=1\nWATCHDOG=1\n"));
    s->pipelines[1].quiet_us = 100 * SECOND;
    service_look(service, s);
    assert_string_equal(turn(), "STATUS=other: Stuck: no cycle was completed and no request "
                                "acknowledged for 1 min 40 s, although the servers answer\n");
    /* the other one's trouble does not hide it */
    s->pipelines[0].servers[0].failing_since_us = 1;
    service_look(service, s);
    assert_null(strstr(turn(), "WATCHDOG=1"));
    /* who waits for a server is not stuck, nor who was paused */
    s->pipelines[1].servers[1].failing_since_us = 1;
    service_look(service, s);
    assert_non_null(strstr(turn(), "WATCHDOG=1"));
    s->pipelines[1].servers[1].failing_since_us = 0;
    s->pipelines[1].paused_us = 1;
    service_look(service, s);
    assert_non_null(strstr(turn(), "WATCHDOG=1"));
    service_close(service);
}

static void a_watchdog_that_nobody_wants(void **state)
{
    (void)state;
    static const char *const not_ours[][2] = {
        {"90000", "1"}, {"0", NULL}, {"-5", NULL}, {"soon", NULL}, {"", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(not_ours); i++) {
        setenv("WATCHDOG_USEC", not_ours[i][0], 1);
        if (not_ours[i][1])
            setenv("WATCHDOG_PID", not_ours[i][1], 1);
        else
            unsetenv("WATCHDOG_PID");
        struct service *service = service_open(loop, &quiet);
        assert_string_equal(turn(), "");
        service_close(service);
    }
}

static void the_state_is_one_line_and_told_when_it_changes(void **state)
{
    (void)state;
    unsetenv("WATCHDOG_USEC");
    s->count = 1;
    struct service *service = service_open(loop, &quiet);
    service_look(service, s);
    assert_string_equal(listen_again(), "STATUS=In sync\n");
    service_look(service, s);
    assert_string_equal(listen_again(), "");
    s->pipelines[0].failing_since_us = 1;
    s->pipelines[0].failure = "two\nlines READY=1";
    service_look(service, s);
    const char *line = listen_again();
    assert_non_null(strstr(line, "two lines READY=1\n"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    service_stopping(service, "state /s.db: disk full");
    service_look(service, s); /* changes that no more */
    assert_string_equal(listen_again(), "STOPPING=1\nSTATUS=state /s.db: disk full\n");
    service_close(service);
}

/* A manager that reads nothing costs a line, not the sync. */
static void a_manager_that_does_not_listen(void **state)
{
    (void)state;
    unsetenv("WATCHDOG_USEC");
    struct service *service = service_open(loop, &quiet);
    for (int i = 0; i < 1000; i++) {
        s->pipelines[0].dead_letters = i;
        service_look(service, s);
    }
    listen_again();
    service_look(service, s); /* the last one was not told yet */
    assert_string_equal(listen_again(),
                        "STATUS=one: In sync, but for 999 changes in the dead letters\n");
    service_close(service);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nobody_asked),
        TEST(the_watchdog_is_fed_while_nothing_is_stuck),
        TEST(a_watchdog_that_nobody_wants),
        TEST(the_state_is_one_line_and_told_when_it_changes),
        TEST(a_manager_that_does_not_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
