#include "app/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16 << 20, CONNECT_MS = 10000 };

static bool connect_to(int fd, const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_STATE, "%s is too long for a socket; use a shorter state", path);
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return true;
    if (errno == ENOENT || errno == ECONNREFUSED)
        return err_set(err, ERR_RUNNING, "not running (nobody listens on %s)", path);
    return err_set(err, errno == EAGAIN ? ERR_TIMEOUT : ERR_STATE,
                   "can't talk to the daemon on %s (%s)", path, strerror(errno));
}

static bool send_line(int fd, struct slice request, struct err *err)
{
    struct buf line = {0};
    buf_append_slice(&line, request);
    buf_append_char(&line, '\n');
    const bool ok = send(fd, line.ptr, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
    buf_free(&line);
    return ok || err_set(err, ERR_TIMEOUT, "the daemon hung up");
}

struct answer {
    int fd;
    unsigned silence_ms;
    control_line_fn *line;
    void *ctx;
    struct buf buffer;
    size_t searched;
};

static bool receive_more(struct answer *a, struct err *err)
{
    struct pollfd waiting = {.fd = a->fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&waiting, 1, a->silence_ms ? (int)a->silence_ms : -1);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return err_set(err, ERR_TIMEOUT, "the daemon does not answer");
    const ssize_t got = recv(a->fd, buf_reserve(&a->buffer, 65536), 65536, 0);
    if (got <= 0 || a->buffer.len > LINE_MAX_BYTES)
        return err_set(err, ERR_TIMEOUT, "the daemon hung up");
    a->buffer.len += (size_t)got;
    return true;
}

/* The first line of the buffer, not removed; null: none yet. */
static struct slice first_line(struct answer *a, size_t from)
{
    const size_t at = a->searched > from ? a->searched : from;
    const char *end =
        a->buffer.len > at ? memchr(a->buffer.ptr + at, '\n', a->buffer.len - at) : NULL;
    a->searched = end ? 0 : a->buffer.len;
    return end ? slice_of(a->buffer.ptr + from, (size_t)(end - a->buffer.ptr) - from) : SLICE_NULL;
}

static bool receive(struct answer *a, struct err *err)
{
    size_t from = 0;
    for (;;) {
        const struct slice line = first_line(a, from);
        if (slice_is_null(line)) {
            memmove(a->buffer.ptr, a->buffer.ptr + from, a->buffer.len - from);
            a->buffer.len -= from;
            a->searched = a->buffer.len;
            from = 0;
            if (!receive_more(a, err))
                return false;
            continue;
        }
        const bool last = control_line_is_last(line);
        if (last && !control_line_check(line, err))
            return false;
        if ((a->line && !a->line(a->ctx, line)) || last)
            return true;
        from += line.len + 1;
    }
}

bool control_request(const char *path, struct slice request, unsigned silence_ms,
                     control_line_fn *line, void *ctx, struct err *err)
{
    struct answer a = {.silence_ms = silence_ms, .line = line, .ctx = ctx};
    a.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (a.fd < 0)
        return err_set(err, ERR_STATE, "no socket (%s)", strerror(errno));
    /* connect waits where the daemon's queue is full. */
    const unsigned limit_ms = silence_ms ? silence_ms : CONNECT_MS;
    const struct timeval limit = {limit_ms / 1000, (limit_ms % 1000) * 1000};
    setsockopt(a.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    buf_reserve(&a.buffer, 1);
    const bool ok =
        connect_to(a.fd, path, err) && send_line(a.fd, request, err) && receive(&a, err);
    buf_free(&a.buffer);
    close(a.fd);
    return ok;
}

static bool keep_line(void *ctx, struct slice line)
{
    buf_append_slice(ctx, line);
    return true;
}

bool control_ask(const char *path, const char *command, unsigned silence_ms, struct buf *reply,
                 struct err *err)
{
    struct buf request = {0};
    buf_append_str(&request, "{\"command\":");
    bool ok = json_append_string(&request, slice_str(command));
    buf_append_char(&request, '}');
    ok = ok && control_request(path, buf_slice(&request), silence_ms, keep_line, reply, err);
    buf_free(&request);
    return ok;
}
