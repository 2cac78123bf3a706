#include "app/notify.h"

#include "app/config_value.h"
#include "base/mem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_S = 1 };

struct notify {
    const struct log *log;
    int fd;
    struct sockaddr_un address;
    socklen_t len;
    bool told; /* that it can't be told */
};

/* The abstract namespace begins with a zero byte and ends with the length. */
static bool set_address(struct notify *n, const char *name)
{
    const size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof n->address.sun_path)
        return false;
    n->address.sun_family = AF_UNIX;
    memcpy(n->address.sun_path, name, len);
    if (name[0] == '@')
        n->address.sun_path[0] = '\0';
    n->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
    return true;
}

struct notify *notify_open(const struct log *log)
{
    const struct timeval limit = {WAIT_S, 0};
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || !name[0])
        return NULL;
    struct notify *n = mem_zalloc(sizeof *n);
    n->log = log;
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (n->fd < 0 || !set_address(n, name) ||
        setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
        log_warning(log, "can't tell the service manager anything: NOTIFY_SOCKET is %s", name);
        notify_close(n);
        return NULL;
    }
    return n;
}

bool notify_send(struct notify *n, const char *lines, bool wait)
{
    ssize_t sent;
    do
        sent = sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT),
                      (const struct sockaddr *)&n->address, n->len);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && !n->told)
        log_warning(n->log, "can't tell the service manager: %s", strerror(errno));
    n->told = sent < 0;
    return sent >= 0;
}

void notify_close(struct notify *n)
{
    if (!n)
        return;
    if (n->fd >= 0)
        close(n->fd);
    free(n);
}

static bool number_of(const char *name, int64_t *out, const struct log *log)
{
    const char *text = getenv(name);
    if (!text || !text[0])
        return false;
    if (config_value_int(text, out) && *out > 0)
        return true;
    log_warning(log, "%s is no number above 0: %s", name, text);
    return false;
}

int64_t notify_watchdog_us(const struct log *log)
{
    int64_t pid, every;
    if (number_of("WATCHDOG_PID", &pid, log) && pid != getpid())
        return 0;
    return number_of("WATCHDOG_USEC", &every, log) ? every : 0;
}
