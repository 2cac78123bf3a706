#include "io/http.h"
#include "io/http_url.h"
#include "support/http_server.h"

#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* One loop with a scripted server and a client; every test counts the calls back. */
struct world {
    struct io_loop *loop;
    struct http_server *server;
    struct io_http *http;
    unsigned sent, called;
    unsigned last_called; /* requests that had called back when the client was closed */
    int status;
    struct buf body;
    char redirect[256];
    struct err err;
    bool closed, close_when_done;
};

static void on_closed(void *ctx)
{
    struct world *w = ctx;
    w->closed = true;
    w->last_called = w->called;
    http_server_stop(w->server);
}

static void on_answer(void *ctx, struct io_http_answer *answer, const struct err *err)
{
    struct world *w = ctx;
    w->called++;
    assert_true((answer == NULL) == (err != NULL));
    if (err) {
        w->err = *err;
    } else if (answer) {
        w->status = answer->status;
        buf_clear(&w->body);
        buf_append_slice(&w->body, buf_slice(&answer->body));
        snprintf(w->redirect, sizeof w->redirect, "%s", answer->redirect ? answer->redirect : "");
    }
    if (w->called == w->sent && w->close_when_done)
        io_http_close(w->http, on_closed, w);
}

static void set_up(struct world *w, const struct http_reply *script, size_t count,
                   const struct io_http_options *options)
{
    static const struct io_http_options none;
    *w = (struct world){.close_when_done = true};
    w->loop = io_loop_new(NULL);
    w->server = http_server_new(io_loop_uv(w->loop), script, count);
    w->http = io_http_new(w->loop, options ? options : &none, NULL);
    assert_non_null(w->http);
}

static void tear_down(struct world *w)
{
    assert_true(w->closed);
    assert_int_equal(w->called, w->sent);
    io_loop_free(w->loop);
    http_server_free(w->server);
    buf_free(&w->body);
}

static struct io_http_call *ask_how(struct world *w, const char *method, const char *path,
                                    struct buf *body, const struct io_http_login *login, bool once)
{
    char url[256];
    snprintf(url, sizeof url, "%s%s", http_server_url(w->server), path);
    const struct io_http_request request = {.method = method,
                                            .url = url,
                                            .content_type = "application/json",
                                            .body = body,
                                            .once = once,
                                            .login = login};
    struct err err = {0};
    struct io_http_call *call = io_http_send(w->http, &request, on_answer, w, &err);
    assert_non_null(call);
    w->sent++;
    return call;
}

static struct io_http_call *ask(struct world *w, const char *method, const char *path,
                                struct buf *body, const struct io_http_login *login)
{
    return ask_how(w, method, path, body, login, false);
}

static void run(struct world *w)
{
    assert_int_equal(w->called, 0);
    io_loop_run(w->loop);
}

static void test_methods_and_reuse(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "one"}, {.status = 404, .body = "two"}};
    struct world w;
    set_up(&w, script, 2, &(struct io_http_options){.connections = 1});
    struct buf body = {0};
    buf_append_str(&body, "{\"a\":1}");
    ask(&w, "POST", "/a?b=c", &body, NULL);
    assert_int_equal(body.len, 0);
    assert_null(body.ptr);
    ask(&w, "GET", "/d", NULL, NULL);
    ask(&w, "HEAD", "/e", NULL, NULL);
    buf_append_str(&body, "x");
    ask(&w, "DELETE", "/f", &body, NULL);
    run(&w);
    assert_int_equal(w.status, 404);
    assert_string_equal(buf_cstr(&w.body), "two");
    assert_int_equal(http_server_count(w.server), 4);
    const struct http_seen *first = http_server_seen(w.server, 0);
    assert_string_equal(first->method, "POST");
    assert_string_equal(first->path, "/a?b=c");
    assert_string_equal(first->body, "{\"a\":1}");
    assert_non_null(strstr(first->headers, "Content-Type: application/json"));
    assert_null(strstr(first->headers, "Expect"));
    assert_null(strstr(first->headers, "Accept-Encoding"));
    assert_string_equal(http_server_seen(w.server, 1)->method, "GET");
    assert_string_equal(http_server_seen(w.server, 2)->method, "HEAD");
    assert_string_equal(http_server_seen(w.server, 3)->method, "DELETE");
    assert_string_equal(http_server_seen(w.server, 3)->body, "x");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(http_server_seen(w.server, i)->connection, 0);
    tear_down(&w);
}

static void test_connection_limit(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "x", .split = 20}};
    struct world w;
    set_up(&w, script, 1, &(struct io_http_options){.connections = 2});
    for (int i = 0; i < 20; i++)
        ask(&w, "GET", "/", NULL, NULL);
    run(&w);
    assert_int_equal(http_server_count(w.server), 20);
    unsigned highest = 0;
    for (size_t i = 0; i < 20; i++) {
        if (http_server_seen(w.server, i)->connection > highest)
            highest = http_server_seen(w.server, i)->connection;
    }
    assert_int_equal(highest, 1);
    tear_down(&w);
}

static void test_gzip(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "x"}};
    struct world w;
    set_up(&w, script, 1, &(struct io_http_options){.gzip_above = 100, .accept_gzip = true});
    struct buf body = {0};
    for (int i = 0; i < 5000; i++)
        buf_append_str(&body, "abcdefghij");
    ask(&w, "POST", "/", &body, NULL);
    run(&w);
    const struct http_seen *seen = http_server_seen(w.server, 0);
    assert_non_null(strstr(seen->headers, "Content-Encoding: gzip"));
    assert_non_null(strstr(seen->headers, "Accept-Encoding: gzip"));
    assert_true(seen->body_len < 5000);
    char *plain = calloc(1, 60000);
    z_stream z = {.next_in = (Bytef *)seen->body,
                  .avail_in = (uInt)seen->body_len,
                  .next_out = (Bytef *)plain,
                  .avail_out = 60000};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, 50000);
    assert_memory_equal(plain + 49990, "abcdefghij", 10);
    inflateEnd(&z);
    free(plain);
    tear_down(&w);
}

static void test_logins_stay_secret(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "x"}, {.body = "x"}, {.reset = true}};
    struct world w;
    set_up(&w, script, 3, &(struct io_http_options){.connections = 1});
    const struct io_http_login user = {.username = "elastic", .password = "sesame:1"};
    const struct io_http_login key = {.api_key = "c2VjcmV0a2V5"};
    ask(&w, "GET", "/", NULL, &user);
    ask(&w, "GET", "/", NULL, &key);
    ask(&w, "GET", "/", NULL, &key);
    run(&w);
    assert_non_null(strstr(http_server_seen(w.server, 0)->headers,
                           "Authorization: Basic ZWxhc3RpYzpzZXNhbWU6MQ=="));
    assert_non_null(
        strstr(http_server_seen(w.server, 1)->headers, "Authorization: ApiKey c2VjcmV0a2V5"));
    assert_int_equal(w.err.code, ERR_CONNECTION);
    assert_null(strstr(w.err.text, "c2VjcmV0a2V5"));
    tear_down(&w);
}

static void test_redirect_is_not_followed(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        {.status = 302, .headers = "Location: http://127.0.0.1:1/elsewhere\r\n", .body = ""}};
    struct world w;
    set_up(&w, script, 1, NULL);
    ask(&w, "GET", "/", NULL, NULL);
    run(&w);
    assert_int_equal(w.status, 302);
    assert_string_equal(w.redirect, "http://127.0.0.1:1/elsewhere");
    assert_int_equal(http_server_count(w.server), 1);
    tear_down(&w);
}

/* Each of these ends in an error of this kind, once. */
static const struct {
    struct http_reply reply;
    enum err_code code;
} bad_replies[] = {
    {{.reset = true}, ERR_CONNECTION},
    {{.stall = true}, ERR_TIMEOUT},
    {{.raw = "", .close = true}, ERR_CONNECTION},
    {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"a\":", .close = true},
     ERR_CONNECTION},
    {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"a\":"}, ERR_TIMEOUT},
    {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 61\r\n\r\n{\"a\":"}, ERR_TOO_LARGE},
    {{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", .close = true},
     ERR_CONNECTION},
    {{.raw = "SSH-2.0-OpenSSH_9.2\r\n", .close = true}, ERR_PROTOCOL},
    {{.body = "0123456789012345678901234567890123456789012345678901234567890"}, ERR_TOO_LARGE},
};

static void test_bad_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_replies / sizeof *bad_replies; i++) {
        struct world w;
        const uint64_t limit_ms = bad_replies[i].code == ERR_TIMEOUT ? 150 : 10000;
        set_up(&w, &bad_replies[i].reply, 1,
               &(struct io_http_options){.total_timeout_ms = limit_ms, .answer_max = 60});
        ask(&w, "GET", "/", NULL, NULL);
        run(&w);
        if (w.err.code != bad_replies[i].code)
            fail_msg("reply %zu: %s %s", i, err_code_name(w.err.code), w.err.text);
        tear_down(&w);
    }
}

/* The server closes a kept connection in place of an answer: it may have obeyed. */
static void test_sent_again_or_once(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        {.body = "first"}, {.raw = "", .close = true}, {.body = "again"}};
    for (int once = 0; once < 2; once++) {
        for (size_t len = 1; len <= 1000000; len *= 1000) {
            struct world w;
            set_up(&w, script, 3, &(struct io_http_options){.connections = 1});
            struct buf body = {0};
            memset(buf_reserve(&body, len), 'x', len);
            body.len = len;
            ask(&w, "GET", "/", NULL, NULL);
            ask_how(&w, "POST", "/", &body, NULL, once);
            run(&w);
            assert_int_equal(w.err.code, once ? ERR_CONNECTION : ERR_NONE);
            assert_true(!once || strstr(w.err.text, "ended before an answer"));
            assert_string_equal(buf_cstr(&w.body), once ? "first" : "again");
            assert_int_equal(http_server_count(w.server), once ? 2 : 3);
            assert_int_equal(http_server_seen(w.server, 1)->body_len, len);
            assert_int_equal(http_server_seen(w.server, 1)->connection, 0);
            tear_down(&w);
        }
    }
}

static void test_split_answer(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "{\"hello\":\"world\"}", .split = 1}};
    struct world w;
    set_up(&w, script, 1, NULL);
    ask(&w, "GET", "/", NULL, NULL);
    run(&w);
    assert_string_equal(buf_cstr(&w.body), "{\"hello\":\"world\"}");
    tear_down(&w);
}

/* The wait for a turn does not count towards a request's own time. */
static void test_turns_and_timeouts(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.stall = true}, {.body = "late"}};
    struct world w;
    set_up(&w, script, 2, &(struct io_http_options){.connections = 1, .total_timeout_ms = 1000});
    ask(&w, "GET", "/stalls", NULL, NULL);
    ask(&w, "GET", "/waits", NULL, NULL);
    run(&w);
    assert_int_equal(w.err.code, ERR_TIMEOUT);
    assert_int_equal(w.status, 200);
    assert_string_equal(buf_cstr(&w.body), "late");
    tear_down(&w);
}

static void test_no_server(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{0}};
    struct world w;
    set_up(&w, script, 1, NULL);
    const struct io_http_request request = {.method = "GET", .url = "http://127.0.0.1:1/"};
    struct err err = {0};
    assert_non_null(io_http_send(w.http, &request, on_answer, &w, &err));
    w.sent++;
    run(&w);
    assert_int_equal(w.err.code, ERR_CONNECTION);
    tear_down(&w);
}

enum { STALL_MS = 1500 };

/* curl resolves names in a thread of its own, which nothing can call back. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (strcmp(node, "stalls.invalid") == 0) {
        usleep(STALL_MS * 1000);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}

static void test_a_name_server_that_stalls(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{0}};
    struct world w;
    set_up(&w, script, 1, &(struct io_http_options){.connect_timeout_ms = 100});
    const struct io_http_request request = {.method = "GET", .url = "http://stalls.invalid/"};
    assert_non_null(io_http_send(w.http, &request, on_answer, &w, NULL));
    w.sent++;
    const uint64_t start = uv_hrtime();
    run(&w);
    const uint64_t took_ms = (uv_hrtime() - start) / 1000000;
    assert_int_equal(w.err.code, ERR_CONNECTION);
    assert_true(took_ms < STALL_MS); /* the loop was not blocked */
    usleep(STALL_MS * 1000);
    tear_down(&w);
}

static void test_other_protocols(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{0}};
    struct world w;
    set_up(&w, script, 1, NULL);
    const struct io_http_request request = {.method = "GET", .url = "file:///etc/passwd"};
    struct err err = {0};
    assert_non_null(io_http_send(w.http, &request, on_answer, &w, &err));
    w.sent++;
    run(&w);
    assert_int_equal(w.err.code, ERR_PROTOCOL);
    tear_down(&w);
}

static void test_cancel(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.stall = true}};
    struct world w;
    set_up(&w, script, 1, &(struct io_http_options){.connections = 2});
    struct io_http_call *calls[5];
    for (int i = 0; i < 5; i++)
        calls[i] = ask(&w, "GET", "/", NULL, NULL);
    for (int i = 4; i >= 0; i--)
        io_http_cancel(calls[i]);
    run(&w);
    assert_int_equal(w.err.code, ERR_CANCELLED);
    tear_down(&w);
}

static void close_client(void *ctx)
{
    struct world *w = ctx;
    io_http_close(w->http, on_closed, w);
    assert_false(w->closed);
    struct err err = {0};
    const struct io_http_request request = {.method = "GET", .url = "http://127.0.0.1:1/"};
    assert_null(io_http_send(w->http, &request, on_answer, w, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
}

static void test_close_ends_everything(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "x"}, {.stall = true}};
    for (unsigned delay = 0; delay < 100; delay += 20) {
        struct world w;
        set_up(&w, script, 2, &(struct io_http_options){.connections = 2});
        w.close_when_done = false;
        for (int i = 0; i < 5; i++)
            ask(&w, "GET", "/", NULL, NULL);
        io_timer_start(w.loop, delay, close_client, &w);
        run(&w);
        assert_int_equal(w.err.code, ERR_CANCELLED);
        assert_int_equal(w.last_called, 5);
        tear_down(&w);
    }
}

/* -- TLS, against openssl's own little server ---------------------------------------------- */

struct tls_server {
    char dir[64], url[64], ca[96];
    pid_t pid;
};

static bool start_tls_server(struct tls_server *t)
{
    char command[512], port[16];
    snprintf(t->dir, sizeof t->dir, "/tmp/caes-test-tls-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->ca, sizeof t->ca, "%s/cert.pem", t->dir);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
             "subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
             t->dir, t->dir);
    if (system(command) != 0)
        return false;
    /* A port that was free a moment ago; s_server picks none by itself. */
    struct io_loop *loop = io_loop_new(NULL);
    static const struct http_reply none[] = {{0}};
    struct http_server *free_port = http_server_new(io_loop_uv(loop), none, 1);
    snprintf(port, sizeof port, "%s", strrchr(http_server_url(free_port), ':') + 1);
    http_server_stop(free_port);
    io_loop_free(loop);
    http_server_free(free_port);
    snprintf(t->url, sizeof t->url, "https://127.0.0.1:%s/", port);
    t->pid = fork();
    if (t->pid == 0) {
        if (chdir(t->dir) == 0 && freopen("/dev/null", "w", stdout) &&
            freopen("/dev/null", "r", stdin))
            execlp("openssl", "openssl", "s_server", "-quiet", "-accept", port, "-cert", "cert.pem",
                   "-key", "key.pem", "-www", (char *)NULL);
        _exit(1);
    }
    return t->pid > 0;
}

static void stop_tls_server(struct tls_server *t)
{
    char command[128];
    kill(t->pid, SIGTERM);
    waitpid(t->pid, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", t->dir);
    assert_int_equal(system(command), 0);
}

static void ask_tls(struct world *w, const struct tls_server *t, const char *ca, bool no_verify)
{
    static const struct http_reply none[] = {{0}};
    set_up(w, none, 1,
           &(struct io_http_options){.total_timeout_ms = 5000,
                                     .tls = {.ca = ca, .no_verify = no_verify}});
    const struct io_http_request request = {.method = "GET", .url = t->url};
    assert_non_null(io_http_send(w->http, &request, on_answer, w, NULL));
    w->sent++;
    run(w);
    tear_down(w);
}

static void test_tls(void **state)
{
    (void)state;
    struct tls_server t;
    struct world w;
    if (system("openssl version >/dev/null 2>&1") != 0 || !start_tls_server(&t))
        skip();
    for (int i = 0; i < 100; i++) { /* until it listens */
        ask_tls(&w, &t, t.ca, false);
        if (w.err.code != ERR_CONNECTION)
            break;
        usleep(100000);
    }
    assert_int_equal(w.status, 200);
    ask_tls(&w, &t, NULL, true);
    assert_int_equal(w.status, 200);
    ask_tls(&w, &t, NULL, false); /* verification is what happens by itself */
    assert_int_equal(w.status, 0);
    assert_int_equal(w.err.code, ERR_TRUST);
    assert_non_null(strstr(w.err.text, "tls.ca"));
    ask_tls(&w, &t, "/nonexistent.pem", false);
    assert_int_equal(w.err.code, ERR_CONFIG);
    stop_tls_server(&t);
}

static void test_origin(void **state)
{
    (void)state;
    static const struct {
        const char *text, *url, *username, *password;
    } fine[] = {
        {"http://h:1", "http://h:1", NULL, NULL},
        {"h", "http://h:9200", NULL, NULL},
        {"h:1/", "http://h:1", NULL, NULL},
        {"https://u:p%40@h/pre/fix/?a=b#c", "https://h:9200/pre/fix", "u", "p@"},
        {"http://[::1]:1", "http://[::1]:1", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct io_http_origin origin;
        struct err err = {0};
        if (!io_http_origin_parse(fine[i].text, "9200", &origin, &err))
            fail_msg("%s: %s", fine[i].text, err.text);
        assert_string_equal(origin.url, fine[i].url);
        assert_string_equal(origin.username ? origin.username : "",
                            fine[i].username ? fine[i].username : "");
        assert_string_equal(origin.password ? origin.password : "",
                            fine[i].password ? fine[i].password : "");
        io_http_origin_free(&origin);
    }
    static const char *const bad[] = {"", "http://", "ftp://h", "http://u:sesame@h:99999", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct io_http_origin origin;
        struct err err = {0};
        assert_false(io_http_origin_parse(bad[i], "9200", &origin, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_null(strstr(err.text, "sesame"));
    }
}

static void test_escape(void **state)
{
    (void)state;
    struct buf out = {0};
    io_http_escape(&out, SLICE_LIT("a/b?c=d e\xc3\xa9<logs-{now/d}>.-_~"));
    assert_string_equal(buf_cstr(&out), "a%2Fb%3Fc%3Dd%20e%C3%A9%3Clogs-%7Bnow%2Fd%7D%3E.-_~");
    buf_free(&out);
}

/* -- clients beside each other -- */

static void on_other_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void ask_as(struct world *w, struct io_http *http, const struct io_http_login *login)
{
    struct io_http *own = w->http;
    w->http = http;
    ask(w, "GET", "/", NULL, login);
    w->http = own;
}

static void ask_by(struct world *w, struct io_http *http)
{
    ask_as(w, http, NULL);
}

static void close_other(struct world *w, struct io_http *other)
{
    bool closed = false;
    io_http_close(other, on_other_closed, &closed);
    while (!closed)
        uv_run(io_loop_uv(w->loop), UV_RUN_ONCE);
}

static void run_until(struct world *w, unsigned called)
{
    while (w->called < called)
        uv_run(io_loop_uv(w->loop), UV_RUN_ONCE);
}

static void test_connections_are_shared(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "x"}};
    struct world w;
    set_up(&w, script, 1, NULL);
    w.close_when_done = false;
    struct io_http *other = io_http_new(w.loop, &(struct io_http_options){.beside = w.http}, NULL);
    ask(&w, "GET", "/", NULL, NULL);
    run_until(&w, 1);
    ask_by(&w, other);
    run_until(&w, 2);
    /* That one may leave first. */
    bool closed = false;
    io_http_close(w.http, on_other_closed, &closed);
    while (!closed)
        uv_run(io_loop_uv(w.loop), UV_RUN_ONCE);
    ask_by(&w, other);
    run_until(&w, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(http_server_seen(w.server, i)->connection, 0);
    io_http_close(other, on_closed, &w);
    io_loop_run(w.loop);
    assert_int_equal(w.err.code, ERR_NONE);
    tear_down(&w);
}

/* They travel with each request: of one client, another, and nobody. */
static void test_logins_are_not_shared(void **state)
{
    (void)state;
    static const struct http_reply script[] = {{.body = "x"}};
    static const struct io_http_login ana = {.username = "ana", .password = "a"},
                                      bob = {.api_key = "bob"};
    struct world w;
    set_up(&w, script, 1, NULL);
    w.close_when_done = false;
    struct io_http *other = io_http_new(w.loop, &(struct io_http_options){.beside = w.http}, NULL);
    ask(&w, "GET", "/", NULL, &ana);
    run_until(&w, 1);
    ask_as(&w, other, &bob);
    run_until(&w, 2);
    ask_by(&w, other);
    run_until(&w, 3);
    static const char *const expected[] = {
        "Authorization: Basic YW5hOmE=", "Authorization: ApiKey bob", NULL};
    for (size_t i = 0; i < 3; i++) {
        const struct http_seen *seen = http_server_seen(w.server, i);
        assert_int_equal(seen->connection, 0);
        assert_non_null(strstr(seen->headers, expected[i] ? expected[i] : "Host:"));
        if (!expected[i])
            assert_null(strstr(seen->headers, "Authorization"));
    }
    close_other(&w, other);
    io_http_close(w.http, on_closed, &w);
    io_loop_run(w.loop);
    tear_down(&w);
}

/* Each with nodes of its own: the connection to a node is there when its turn comes again. */
static void test_connections_are_kept_for_all(void **state)
{
    (void)state;
    enum { CLIENTS = 3, NODES = 3, ROUNDS = 4 };
    static const struct http_reply script[] = {{.body = "x"}};
    struct world w;
    struct io_http *clients[CLIENTS];
    struct http_server *nodes[CLIENTS][NODES];
    set_up(&w, script, 1, NULL);
    w.close_when_done = false;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = io_http_new(w.loop, &(struct io_http_options){.beside = w.http}, NULL);
        for (int j = 0; j < NODES; j++)
            nodes[i][j] = http_server_new(io_loop_uv(w.loop), script, 1);
    }
    struct http_server *own = w.server;
    for (int i = 0; i < ROUNDS * NODES * CLIENTS; i++) {
        w.server = nodes[i % CLIENTS][i / CLIENTS % NODES];
        ask_by(&w, clients[i % CLIENTS]);
        run_until(&w, w.sent);
    }
    w.server = own;
    for (int i = 0; i < CLIENTS; i++) {
        for (int j = 0; j < NODES; j++) {
            assert_int_equal(http_server_count(nodes[i][j]), ROUNDS);
            for (size_t k = 0; k < ROUNDS; k++)
                assert_int_equal(http_server_seen(nodes[i][j], k)->connection, 0);
            http_server_stop(nodes[i][j]);
        }
        close_other(&w, clients[i]);
    }
    io_http_close(w.http, on_closed, &w);
    io_loop_run(w.loop);
    for (int i = 0; i < CLIENTS; i++)
        for (int j = 0; j < NODES; j++)
            http_server_free(nodes[i][j]);
    tear_down(&w);
}

/* Four without an answer, and more behind them: the other's are asked all the same. */
static void test_slow_answers_hold_up_nobody_else(void **state)
{
    (void)state;
    static const struct http_reply script[] = {
        {.stall = true}, {.stall = true}, {.stall = true}, {.stall = true}, {.body = "x"}};
    struct world w;
    set_up(&w, script, 5, NULL);
    w.close_when_done = false;
    struct io_http *stuck = io_http_new(w.loop, &(struct io_http_options){.beside = w.http}, NULL);
    for (int i = 0; i < 9; i++)
        ask_by(&w, stuck);
    for (unsigned i = 1; i <= 6; i++) {
        ask(&w, "GET", "/", NULL, NULL);
        run_until(&w, i);
        assert_int_equal(w.err.code, ERR_NONE);
    }
    assert_int_equal(http_server_count(w.server), 10);
    close_other(&w, stuck); /* which ends its own only */
    assert_int_equal(w.called, 15);
    assert_int_equal(w.err.code, ERR_CANCELLED);
    w.err = (struct err){0};
    ask(&w, "GET", "/", NULL, NULL);
    run_until(&w, 16);
    assert_int_equal(w.err.code, ERR_NONE);
    io_http_close(w.http, on_closed, &w);
    io_loop_run(w.loop);
    tear_down(&w);
}

/* Quick ones of many clients are as many at once as those of one. */
static void test_quick_ones_take_turns(void **state)
{
    (void)state;
    enum { CLIENTS = 12, EACH = 3 };
    static const struct http_reply script[] = {{.body = "x"}};
    struct world w;
    set_up(&w, script, 1, &(struct io_http_options){.connections = 2});
    w.close_when_done = false;
    struct io_http *others[CLIENTS];
    const struct io_http_options options = {.connections = 2, .beside = w.http};
    for (int i = 0; i < CLIENTS; i++)
        others[i] = io_http_new(w.loop, &options, NULL);
    for (int i = 0; i < CLIENTS; i++)
        for (int j = 0; j < EACH; j++)
            ask_by(&w, others[i]);
    run_until(&w, CLIENTS * EACH);
    assert_int_equal(w.err.code, ERR_NONE);
    unsigned connections = 0;
    for (size_t i = 0; i < http_server_count(w.server); i++)
        if (http_server_seen(w.server, i)->connection >= connections)
            connections = http_server_seen(w.server, i)->connection + 1;
    assert_in_range(connections, 1, 6); /* 2, where this machine is quick enough */
    for (int i = 0; i < CLIENTS; i++)
        close_other(&w, others[i]);
    io_http_close(w.http, on_closed, &w);
    io_loop_run(w.loop);
    tear_down(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_and_reuse),
        cmocka_unit_test(test_connection_limit),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_logins_stay_secret),
        cmocka_unit_test(test_redirect_is_not_followed),
        cmocka_unit_test(test_bad_replies),
        cmocka_unit_test(test_sent_again_or_once),
        cmocka_unit_test(test_split_answer),
        cmocka_unit_test(test_turns_and_timeouts),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_a_name_server_that_stalls),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_close_ends_everything),
        cmocka_unit_test(test_connections_are_shared),
        cmocka_unit_test(test_logins_are_not_shared),
        cmocka_unit_test(test_connections_are_kept_for_all),
        cmocka_unit_test(test_slow_answers_hold_up_nobody_else),
        cmocka_unit_test(test_quick_ones_take_turns),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
