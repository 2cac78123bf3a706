#include "app/helper.h"

#include "app/control.h"
#include "app/exit.h"
#include "io/task.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The server runs on its loop in this thread, clients block in another. */
static char path[64];
static struct io_loop *loop;
static struct control *control;
static uv_async_t done;

/* A slow answer of many lines, from a task; and one that only ends when the client hangs up. */
struct slow {
    struct control_call *call;
    struct io_wake hung_up;
    int said;
};
static struct slow slow;
static int hangups;

static void slow_task(void *ctx)
{
    struct slow *s = ctx;
    char line[4096];
    memset(line, 'x', sizeof line);
    for (s->said = 0; s->said < 2000; s->said++) {
        const int head = snprintf(line, 40, "{\"item\":\"%06d", s->said);
        line[head] = 'x';
        memcpy(line + sizeof line - 2, "\"}", 2);
        control_say(s->call, slice_of(line, sizeof line));
        control_drain(s->call);
    }
    control_say(s->call, SLICE_LIT("{\"count\":2000}"));
    control_end(s->call);
}

static void endless_task(void *ctx)
{
    struct slow *s = ctx;
    control_say(s->call, SLICE_LIT("{\"progress\":1}"));
    while (!io_sleep(loop, 60000, &s->hung_up))
        continue;
    control_say(s->call, SLICE_LIT("{\"nobody\":\"reads this\"}"));
    control_end(s->call);
}

static void on_hangup(void *ctx)
{
    struct slow *s = ctx;
    hangups++;
    io_wake_raise(&s->hung_up);
}

static void serve(void *ctx, struct control_call *call, struct slice command,
                  const struct json_node *request)
{
    struct buf reply = {0};
    struct err err = {0};
    (void)ctx;
    if (slice_is(command, "slow") || slice_is(command, "endless")) {
        slow = (struct slow){.call = call};
        control_on_hangup(call, on_hangup, &slow);
        io_task_start(loop, slice_is(command, "slow") ? slow_task : endless_task, &slow, NULL);
        return;
    }
    if (slice_is(command, "big")) {
        buf_append_str(&reply, "{\"x\":\"");
        for (int i = 0; i < 300000; i++)
            buf_append_char(&reply, 'x');
        buf_append_str(&reply, "\"}");
        control_say(call, buf_slice(&reply));
    } else if (slice_is(command, "status")) {
        control_say(call, json_member(request, "sick") ? SLICE_LIT("{\"healthy\":false}")
                                                       : SLICE_LIT("{\"healthy\":true}"));
    } else {
        err_set(&err, ERR_REQUEST, "unknown command");
        control_say_error(call, &err);
    }
    buf_free(&reply);
    control_end(call);
}

static void on_done(uv_async_t *handle)
{
    uv_close((uv_handle_t *)handle, NULL);
    control_close(control);
}

static void with_server(void *(*client)(void *), void *result)
{
    struct err err = {0};
    pthread_t thread;
    loop = io_loop_new(&err);
    assert_non_null(loop);
    strcpy(path, "/tmp/caes-control-XXXXXX");
    assert_non_null(mkdtemp(path));
    strcat(path, "/s.sock");
    control = control_open(loop, path, serve, NULL, &err);
    if (!control)
        fail_msg("%s", err.text);
    uv_async_init(io_loop_uv(loop), &done, on_done);
    pthread_create(&thread, NULL, client, result);
    io_loop_run(loop);
    pthread_join(thread, NULL);
    io_loop_free(loop);
    assert_int_equal(access(path, F_OK), -1);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

struct answers {
    char status[64], unknown[64], raw[96];
    size_t big;
    int items, last;
    bool stopped_early;
    int mode, overlong;
};

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static void ask(const char *command, char *out)
{
    struct buf reply = {0};
    struct err err = {0};
    bool ok = control_ask(path, command, 5000, &reply, &err);
    snprintf(out, 64, "%.63s", ok ? buf_cstr(&reply) : err.text);
    buf_free(&reply);
}

static bool count_line(void *ctx, struct slice line)
{
    struct answers *a = ctx;
    if (control_line_is_last(line)) {
        a->last++;
        return true;
    }
    usleep(a->items % 100 == 0 ? 1000 : 0); /* the daemon is faster than this one */
    char expected[32];
    snprintf(expected, sizeof expected, "{\"item\":\"%06d", a->items++);
    if (memcmp(line.ptr, expected, strlen(expected)) != 0 || line.len != 4096)
        a->items = -1000000;
    return true;
}

static bool hang_up(void *ctx, struct slice line)
{
    struct answers *a = ctx;
    a->stopped_early = slice_is(line, "{\"progress\":1}");
    return false;
}

static void *client(void *result)
{
    struct answers *a = result;
    struct buf reply = {0};
    struct stat info;
    ask("status", a->status);
    ask("no\"pe", a->unknown);
    if (control_ask(path, "big", 5000, &reply, NULL))
        a->big = reply.len;
    buf_free(&reply);
    a->mode = stat(path, &info) == 0 ? (int)(info.st_mode & 0777) : -1;

    struct err err = {0};
    if (!control_request(path, SLICE_LIT("{\"command\":\"slow\"}"), 5000, count_line, a, &err) ||
        !control_request(path, SLICE_LIT("{\"command\":\"endless\"}"), 5000, hang_up, a, &err))
        a->last = -1;

    /* Two requests in pieces, one of them rubbish. */
    int fd = connect_raw();
    (void)!write(fd, "rubbish\n{\"comm", 14);
    usleep(20000);
    (void)!write(fd, "and\":\"status\"}\n", 15);
    size_t len = 0;
    while (len < sizeof a->raw - 1 && !strstr(a->raw, "healthy")) {
        ssize_t got = read(fd, a->raw + len, sizeof a->raw - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);

    /* A line without end is cut off. */
    fd = connect_raw();
    char block[512];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 600; i++)
        (void)!send(fd, block, sizeof block, MSG_NOSIGNAL);
    a->overlong = (int)read(fd, block, 1);
    close(fd);

    /* More than are served at once: the others are refused, and the server lives. */
    int many[20];
    for (size_t i = 0; i < 20; i++)
        many[i] = connect_raw();
    usleep(50000);
    for (size_t i = 0; i < 20; i++)
        close(many[i]);
    uv_async_send(&done);
    return NULL;
}

static void test_requests(void **state)
{
    (void)state;
    struct answers a = {0};
    with_server(client, &a);
    assert_string_equal(a.status, "{\"healthy\":true}");
    assert_string_equal(a.unknown, "unknown command");
    assert_int_equal(a.big, 300008);
    assert_int_equal(a.items, 2000);
    assert_int_equal(a.last, 1);
    assert_true(a.stopped_early);
    assert_int_equal(hangups, 1);
    assert_int_equal(a.mode & 0177, 0);
    assert_string_equal(a.raw, "{\"error\":\"not a command\",\"code\":7}\n{\"healthy\":true}\n");
    assert_true(a.overlong <= 0);
}

static void test_nobody(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf reply = {0};
    assert_false(control_ask("/tmp/no/such.sock", "status", 1000, &reply, &err));
    assert_int_equal(err.code, ERR_RUNNING);
    assert_int_equal(exit_code_of(err.code), EXIT_RUNNING);
    buf_free(&reply);
}

/* Left behind by a crash: replaced. Anything else of that name: not touched. */
static void test_stale(void **state)
{
    (void)state;
    struct err err = {0};
    char name[] = "/tmp/caes-control-XXXXXX";
    int file = mkstemp(name);
    struct io_loop *own = io_loop_new(&err);
    assert_null(control_open(own, name, serve, NULL, &err));
    assert_int_equal(access(name, F_OK), 0);
    close(file);
    unlink(name);

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    struct buf reply = {0};
    assert_false(control_ask(name, "status", 1000, &reply, &err));
    assert_int_equal(err.code, ERR_RUNNING);
    struct control *c = control_open(own, name, serve, NULL, &err);
    assert_non_null(c);
    control_close(c);
    io_loop_run(own);

    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    assert_null(control_open(own, longer, serve, NULL, &err));
    assert_int_equal(err.code, ERR_STATE);
    io_loop_free(own);
    buf_free(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
