#include "support/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 512, CONNECTIONS_MAX = 64 };

struct connection {
    uv_tcp_t tcp;
    struct http_server *server;
    unsigned number;
    char *in;
    size_t in_len;
    char *out;
    size_t out_len, out_at, split;
    bool close;
    uv_write_t write;
    uv_timer_t pause;
    int handles;
};

struct http_server {
    uv_tcp_t tcp;
    uv_loop_t *loop;
    const struct http_reply *script;
    size_t script_count, replies;
    struct http_seen seen[SEEN_MAX];
    size_t seen_count;
    struct connection *connections[CONNECTIONS_MAX];
    unsigned connection_count;
    char url[64];
};

static void on_gone(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    if (--c->handles > 0)
        return;
    c->server->connections[c->number] = NULL;
    free(c->in);
    free(c->out);
    free(c);
}

static void end_connection(struct connection *c, bool reset)
{
    if (uv_is_closing((uv_handle_t *)&c->pause))
        return;
    uv_close((uv_handle_t *)&c->pause, on_gone);
    if (!reset || uv_tcp_close_reset(&c->tcp, on_gone) != 0)
        uv_close((uv_handle_t *)&c->tcp, on_gone);
}

static void send_piece(struct connection *c);

static void on_pause(uv_timer_t *timer)
{
    send_piece(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *c = write->data;
    if (status != 0 || uv_is_closing((uv_handle_t *)&c->pause))
        return;
    if (c->out_at < c->out_len)
        uv_timer_start(&c->pause, on_pause, 1, 0);
    else if (c->close)
        end_connection(c, false);
}

static void send_piece(struct connection *c)
{
    size_t len = c->out_len - c->out_at;
    if (c->split && len > c->split)
        len = c->split;
    uv_buf_t piece = uv_buf_init(c->out + c->out_at, (unsigned)len);
    c->out_at += len;
    c->write.data = c;
    uv_write(&c->write, (uv_stream_t *)&c->tcp, &piece, 1, on_written);
}

static void send_reply(struct connection *c, const struct http_reply *reply, bool head)
{
    if (reply->stall)
        return;
    if (reply->reset) {
        end_connection(c, true);
        return;
    }
    if (reply->leave) {
        http_server_stop(c->server);
        return;
    }
    const char *body = reply->body ? reply->body : "{}";
    free(c->out);
    if (reply->raw) {
        c->out = strdup(reply->raw);
    } else {
        const size_t size = strlen(body) + 512;
        c->out = malloc(size);
        snprintf(c->out, size, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n%s",
                 reply->status ? reply->status : 200, strlen(body),
                 reply->headers ? reply->headers : "Content-Type: application/json\r\n",
                 head ? "" : body);
    }
    c->out_len = strlen(c->out);
    c->out_at = 0;
    c->split = reply->split;
    c->close = reply->close;
    send_piece(c);
}

/* The value of a header, or NULL. */
static const char *header(const char *headers, const char *name)
{
    for (const char *line = headers; line; line = strstr(line, "\r\n")) {
        if (*line == '\r')
            line += 2;
        if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            return line + strlen(name) + 1;
    }
    return NULL;
}

/* One whole request at the beginning of what came in. */
static bool take_request(struct connection *c)
{
    char *end = c->in ? strstr(c->in, "\r\n\r\n") : NULL;
    if (!end)
        return false;
    const size_t head = (size_t)(end + 4 - c->in);
    *end = '\0';
    const char *length = header(c->in, "content-length");
    *end = '\r';
    const size_t body = length ? strtoul(length, NULL, 10) : 0;
    struct http_server *s = c->server;
    if (c->in_len < head + body || s->seen_count == SEEN_MAX)
        return false;
    struct http_seen *seen = &s->seen[s->seen_count++];
    char *line_end = strstr(c->in, "\r\n");
    char *space = strchr(c->in, ' ');
    char *second = strchr(space + 1, ' ');
    seen->method = strndup(c->in, (size_t)(space - c->in));
    seen->path = strndup(space + 1, (size_t)(second - space - 1));
    seen->headers = strndup(line_end + 2, (size_t)(c->in + head - line_end - 2));
    seen->body = calloc(1, body + 1);
    memcpy(seen->body, c->in + head, body);
    seen->body_len = body;
    seen->connection = c->number;
    memmove(c->in, c->in + head + body, c->in_len - head - body);
    c->in_len -= head + body;
    c->in[c->in_len] = '\0';
    const size_t at = s->replies < s->script_count ? s->replies : s->script_count - 1;
    s->replies++;
    send_reply(c, &s->script[at], strcmp(seen->method, "HEAD") == 0);
    return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    *buf = uv_buf_init(malloc(suggested), (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct connection *c = stream->data;
    if (len > 0) {
        c->in = realloc(c->in, c->in_len + (size_t)len + 1);
        memcpy(c->in + c->in_len, buf->base, (size_t)len);
        c->in_len += (size_t)len;
        c->in[c->in_len] = '\0';
        while (!uv_is_closing((uv_handle_t *)&c->pause) && take_request(c))
            ;
    }
    free(buf->base);
    if (len < 0)
        end_connection(c, false);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct http_server *s = stream->data;
    if (status != 0 || s->connection_count == CONNECTIONS_MAX)
        return;
    struct connection *c = calloc(1, sizeof *c);
    c->server = s;
    c->number = s->connection_count;
    c->handles = 2;
    uv_tcp_init(s->loop, &c->tcp);
    uv_timer_init(s->loop, &c->pause);
    c->tcp.data = c;
    c->pause.data = c;
    s->connections[s->connection_count++] = c;
    uv_accept(stream, (uv_stream_t *)&c->tcp);
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

struct http_server *http_server_new(uv_loop_t *loop, const struct http_reply *script, size_t count)
{
    struct http_server *s = calloc(1, sizeof *s);
    s->loop = loop;
    s->script = script;
    s->script_count = count;
    uv_tcp_init(loop, &s->tcp);
    s->tcp.data = s;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&s->tcp, (const struct sockaddr *)&address, 0);
    uv_listen((uv_stream_t *)&s->tcp, 16, on_connection);
    int len = sizeof address;
    uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &len);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return s;
}

const char *http_server_url(const struct http_server *server)
{
    return server->url;
}

size_t http_server_count(const struct http_server *server)
{
    return server->seen_count;
}

const struct http_seen *http_server_seen(const struct http_server *server, size_t at)
{
    return &server->seen[at];
}

void http_server_stop(struct http_server *server)
{
    if (!uv_is_closing((uv_handle_t *)&server->tcp))
        uv_close((uv_handle_t *)&server->tcp, NULL);
    for (unsigned i = 0; i < server->connection_count; i++) {
        if (server->connections[i])
            end_connection(server->connections[i], false);
    }
}

void http_server_free(struct http_server *server)
{
    for (size_t i = 0; i < server->seen_count; i++) {
        free(server->seen[i].method);
        free(server->seen[i].path);
        free(server->seen[i].headers);
        free(server->seen[i].body);
    }
    free(server);
}
