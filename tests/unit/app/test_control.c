#include "app/helper.h"

#include "app/control.h"
#include "app/exit.h"

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

static bool serve(void *ctx, struct slice command, struct buf *reply)
{
    (void)ctx;
    if (slice_is(command, "big")) {
        buf_append_str(reply, "{\"x\":\"");
        for (int i = 0; i < 300000; i++)
            buf_append_char(reply, 'x');
        buf_append_str(reply, "\"}");
        return true;
    }
    if (!slice_is(command, "status"))
        return false;
    buf_append_str(reply, "{\"healthy\":true}");
    return true;
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
    char status[64], unknown[64], raw[64];
    size_t big;
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
    bool ok = control_request(path, command, 5000, &reply, &err);
    snprintf(out, 64, "%.63s", ok ? buf_cstr(&reply) : err.text);
    buf_free(&reply);
}

static void *client(void *result)
{
    struct answers *a = result;
    struct buf reply = {0};
    struct stat info;
    ask("status", a->status);
    ask("no\"pe", a->unknown);
    if (control_request(path, "big", 5000, &reply, NULL))
        a->big = reply.len;
    buf_free(&reply);
    a->mode = stat(path, &info) == 0 ? (int)(info.st_mode & 0777) : -1;

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
    for (int i = 0; i < 16; i++)
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
    assert_string_equal(a.unknown, "{\"error\":\"unknown command\"}");
    assert_int_equal(a.big, 300008);
    assert_int_equal(a.mode & 0177, 0);
    assert_string_equal(a.raw, "{\"error\":\"not a command\"}\n{\"healthy\":true}\n");
    assert_true(a.overlong <= 0);
}

static void test_nobody(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf reply = {0};
    assert_false(control_request("/tmp/no/such.sock", "status", 1000, &reply, &err));
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
    assert_false(control_request(name, "status", 1000, &reply, &err));
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
