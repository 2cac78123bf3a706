#include "app/control.h"

#include "base/mem.h"
#include "io/task.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 8, REQUEST_MAX = 256 << 10, IDLE_MS = 10000, BACKLOG = 1 << 20 };

/* A request that is being answered; it outlives its client. */
struct control_call {
    struct client *client; /* NULL: gone */
    void (*on_hangup)(void *ctx);
    void *ctx;
    struct io_group unsent; /* bytes */
};

struct client {
    struct control *owner;
    struct client *next;
    uv_pipe_t pipe;
    uv_timer_t idle; /* nobody may keep one of the few places */
    struct control_call *call;
    bool closing;
    unsigned open_handles;
    size_t unsent;
    size_t len;
    char line[REQUEST_MAX];
};

/* A line on its way. */
struct saying {
    uv_write_t write;
    struct client *client;
    size_t len;
    char text[];
};

struct control {
    uv_pipe_t pipe;
    control_fn *fn;
    void *ctx;
    struct json_doc *json;
    struct client *clients;
    unsigned client_count;
    bool closing, listener_closed;
};

static void free_when_done(struct control *c)
{
    if (!c->listener_closed || c->client_count > 0)
        return;
    json_doc_free(c->json);
    free(c);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    struct control *c = client->owner;
    if (--client->open_handles > 0)
        return;
    struct client **at = &c->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    c->client_count--;
    free(client);
    free_when_done(c);
}

static void close_client(struct client *client)
{
    if (client->closing)
        return;
    client->closing = true;
    struct control_call *call = client->call;
    client->call = NULL;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    uv_close((uv_handle_t *)&client->idle, on_client_closed);
    if (!call)
        return;
    call->client = NULL;
    call->unsent.pending = 1; /* nobody waits for what nobody takes */
    io_group_done(&call->unsent);
    if (call->on_hangup)
        call->on_hangup(call->ctx);
}

static void on_idle(uv_timer_t *timer)
{
    close_client(timer->data);
}

static void serve(struct client *client);

static void sent(struct client *client, size_t bytes)
{
    client->unsent -= bytes;
    if (!client->call)
        return;
    client->call->unsent.pending -= bytes - 1;
    io_group_done(&client->call->unsent);
}

static void on_written(uv_write_t *write, int status)
{
    struct saying *saying = write->data;
    struct client *client = saying->client;
    sent(client, saying->len);
    free(saying);
    if (status < 0)
        close_client(client);
    else
        serve(client);
}

void control_say(struct control_call *call, struct slice line)
{
    struct client *client = call->client;
    if (!client)
        return;
    struct saying *saying = mem_alloc(sizeof *saying + line.len + 1);
    saying->client = client;
    saying->len = line.len + 1;
    saying->write.data = saying;
    memcpy(saying->text, line.ptr, line.len);
    saying->text[line.len] = '\n';
    uv_buf_t out = uv_buf_init(saying->text, (unsigned)saying->len);
    if (uv_write(&saying->write, (uv_stream_t *)&client->pipe, &out, 1, on_written) != 0) {
        free(saying);
        close_client(client);
        return;
    }
    client->unsent += saying->len;
    call->unsent.pending += saying->len;
}

void control_say_error(struct control_call *call, const struct err *err)
{
    struct buf line = {0};
    control_append_error(&line, err);
    control_say(call, buf_slice(&line));
    buf_free(&line);
}

void control_drain(struct control_call *call)
{
    if (call->client)
        io_group_wait_below(&call->unsent, BACKLOG);
}

void control_on_hangup(struct control_call *call, void (*fn)(void *ctx), void *ctx)
{
    call->on_hangup = fn;
    call->ctx = ctx;
}

void control_end(struct control_call *call)
{
    struct client *client = call->client;
    free(call);
    if (!client)
        return;
    client->call = NULL;
    uv_timer_start(&client->idle, on_idle, IDLE_MS, 0);
    serve(client);
}

static void start_call(struct client *client, struct slice line)
{
    struct control *c = client->owner;
    struct control_call *call = mem_zalloc(sizeof *call);
    const struct json_node *request = NULL, *command = NULL;
    client->call = call;
    call->client = client;
    uv_timer_stop(&client->idle);
    if (json_parse(c->json, line, false, NULL)) {
        request = json_root(c->json);
        command = json_member(request, "command");
    }
    if (command && command->type == JSON_STRING) {
        c->fn(c->ctx, call, command->text, request);
        return;
    }
    struct err err = {0};
    err_set(&err, ERR_REQUEST, "not a command");
    control_say_error(call, &err);
    control_end(call);
}

/* Answers the first whole line; the next one waits until that answer is written. */
static void serve(struct client *client)
{
    if (client->call || client->unsent > 0 || client->closing)
        return;
    const char *end = memchr(client->line, '\n', client->len);
    if (!end) {
        if (client->len == sizeof client->line)
            close_client(client);
        return;
    }
    const size_t len = (size_t)(end - client->line);
    char *line = mem_strndup(client->line, len);
    client->len -= len + 1;
    memmove(client->line, end + 1, client->len);
    start_call(client, slice_of(line, len));
    free(line);
}

/* No room left means ENOBUFS in on_read. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct client *client = handle->data;
    (void)suggested;
    *out = uv_buf_init(client->line + client->len, (unsigned)(sizeof client->line - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *in)
{
    struct client *client = stream->data;
    (void)in;
    if (got < 0) {
        close_client(client);
        return;
    }
    client->len += (size_t)got;
    serve(client);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *c = listener->data;
    if (status < 0 || c->closing)
        return;
    struct client *client = mem_zalloc(sizeof *client);
    client->owner = c;
    client->open_handles = 2;
    uv_pipe_init(listener->loop, &client->pipe, 0);
    uv_timer_init(listener->loop, &client->idle);
    client->pipe.data = client->idle.data = client;
    client->next = c->clients;
    c->clients = client;
    c->client_count++;
    if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 || c->client_count > CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) != 0) {
        close_client(client);
        return;
    }
    uv_timer_start(&client->idle, on_idle, IDLE_MS, 0);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct control *c = handle->data;
    c->listener_closed = true;
    free_when_done(c);
}

/* Only a socket is replaced: a mistaken path must not cost anybody a file. */
static bool remove_stale(const char *path, struct err *err)
{
    struct stat info;
    if (lstat(path, &info) != 0)
        return true;
    if (!S_ISSOCK(info.st_mode))
        return err_set(err, ERR_STATE, "%s is in the way of the control socket; move it", path);
    unlink(path);
    return true;
}

static int bind_private(uv_pipe_t *pipe, const char *path)
{
    mode_t before = umask(0177);
    int status = uv_pipe_bind(pipe, path);
    umask(before);
    return status;
}

struct control *control_open(struct io_loop *loop, const char *path, control_fn *fn, void *ctx,
                             struct err *err)
{
    /* libuv would cut a longer path without a word. */
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path) {
        err_set(err, ERR_STATE, "%s is too long for a socket; use a shorter state", path);
        return NULL;
    }
    if (!remove_stale(path, err))
        return NULL;
    struct control *c = mem_zalloc(sizeof *c);
    c->fn = fn;
    c->ctx = ctx;
    c->json = json_doc_new();
    uv_pipe_init(io_loop_uv(loop), &c->pipe, 0);
    c->pipe.data = c;
    int status = bind_private(&c->pipe, path);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&c->pipe, CLIENTS_MAX, on_connection);
    if (status == 0)
        return c;
    err_set(err, ERR_STATE, "can't listen on %s (%s)", path, uv_strerror(status));
    control_close(c);
    return NULL;
}

void control_close(struct control *c)
{
    if (!c || c->closing)
        return;
    c->closing = true;
    for (struct client *client = c->clients; client; client = client->next)
        close_client(client);
    uv_close((uv_handle_t *)&c->pipe, on_listener_closed); /* removes the socket */
}
