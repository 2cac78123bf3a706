#include "app/control.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 8, REQUEST_MAX = 4096, IDLE_MS = 10000 };

struct client {
    struct control *owner;
    struct client *next;
    uv_pipe_t pipe;
    uv_timer_t idle; /* nobody may keep one of the few places */
    uv_write_t write;
    bool writing, closing;
    unsigned open_handles;
    size_t len;
    char line[REQUEST_MAX];
    struct buf reply;
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
    buf_free(&client->reply);
    free(client);
    free_when_done(c);
}

static void close_client(struct client *client)
{
    if (client->closing)
        return;
    client->closing = true;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    uv_close((uv_handle_t *)&client->idle, on_client_closed);
}

static void on_idle(uv_timer_t *timer)
{
    close_client(timer->data);
}

static void answer(struct client *client, struct slice line)
{
    struct control *c = client->owner;
    struct slice command = SLICE_NULL;
    buf_clear(&client->reply);
    if (json_parse(c->json, line, false, NULL)) {
        const struct json_node *node = json_member(json_root(c->json), "command");
        if (node && node->type == JSON_STRING)
            command = node->text;
    }
    if (slice_is_null(command))
        buf_append_str(&client->reply, "{\"error\":\"not a command\"}");
    else if (!c->fn(c->ctx, command, &client->reply))
        buf_append_str(&client->reply, "{\"error\":\"unknown command\"}");
    buf_append_char(&client->reply, '\n');
}

static void serve(struct client *client);

static void on_written(uv_write_t *write, int status)
{
    struct client *client = write->data;
    client->writing = false;
    if (status < 0)
        close_client(client);
    else
        serve(client);
}

/* Answers the first whole line; the next one waits for that answer to be written. */
static void serve(struct client *client)
{
    const char *end = memchr(client->line, '\n', client->len);
    if (client->writing || client->closing)
        return;
    if (!end) {
        if (client->len == sizeof client->line)
            close_client(client);
        return;
    }
    size_t len = (size_t)(end - client->line);
    answer(client, slice_of(client->line, len));
    client->len -= len + 1;
    memmove(client->line, end + 1, client->len);
    uv_timer_start(&client->idle, on_idle, IDLE_MS, 0);
    uv_buf_t out = uv_buf_init(client->reply.ptr, (unsigned)client->reply.len);
    client->write.data = client;
    client->writing =
        uv_write(&client->write, (uv_stream_t *)&client->pipe, &out, 1, on_written) == 0;
    if (!client->writing)
        close_client(client);
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
