#include "app/control.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPLY_MAX = 4 * 1024 * 1024 };

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

static bool send_command(int fd, const char *command, struct err *err)
{
    struct buf line = {0};
    buf_append_str(&line, "{\"command\":");
    bool ok = json_append_string(&line, slice_str(command));
    buf_append_str(&line, "}\n");
    ok = ok && send(fd, line.ptr, line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
    buf_free(&line);
    return ok || err_set(err, ERR_TIMEOUT, "the daemon hung up");
}

/* False without err: more is to come. */
static bool whole_line(struct buf *reply, size_t start)
{
    char *end = reply->len > start ? memchr(reply->ptr + start, '\n', reply->len - start) : NULL;
    if (!end)
        return false;
    reply->len = (size_t)(end - reply->ptr);
    return true;
}

static bool receive(int fd, int64_t until, struct buf *reply, struct err *err)
{
    size_t start = reply->len;
    while (!whole_line(reply, start)) {
        int64_t left = (until - clock_mono_us()) / 1000;
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&waiting, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return err_set(err, ERR_TIMEOUT, "the daemon does not answer");
        ssize_t got = recv(fd, buf_reserve(reply, 4096), 4096, 0);
        if (got <= 0 || reply->len - start > REPLY_MAX)
            return err_set(err, ERR_TIMEOUT, "the daemon hung up");
        reply->len += (size_t)got;
    }
    return true;
}

bool control_request(const char *path, const char *command, unsigned timeout_ms, struct buf *reply,
                     struct err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_STATE, "no socket (%s)", strerror(errno));
    /* connect waits where the daemon's queue is full. */
    const struct timeval limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int64_t until = clock_mono_us() + (int64_t)timeout_ms * 1000;
    bool ok = connect_to(fd, path, err) && send_command(fd, command, err) &&
              receive(fd, until, reply, err);
    close(fd);
    return ok;
}
