#include "support/drive.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 20 };

struct connection {
    int socket;
    unsigned in_flight;
    bool dry; /* nothing more to ask */
    struct buf out, in;
    size_t sent;
};

struct driving {
    const struct drive_options *options;
    const struct drive_calls *calls;
    struct connection connections[DRIVE_CONNECTIONS];
    double started;
    uint64_t asked;
};

static double now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

void drive_fail(const char *what, struct slice text)
{
    fprintf(stderr, "%s: %.*s\n", what, (int)(text.len < 400 ? text.len : 400), text.ptr);
    exit(1);
}

static int connect_to(const struct drive_options *o)
{
    const int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(o->port)};
    inet_pton(AF_INET, o->host, &address.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        drive_fail("connect", slice_str(strerror(errno)));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void receive(struct driving *d, unsigned number)
{
    struct connection *c = &d->connections[number];
    char *at = buf_reserve(&c->in, READ_SIZE);
    const ssize_t len = recv(c->socket, at, READ_SIZE, 0);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0)
        drive_fail("recv", slice_str(len ? strerror(errno) : "closed by the server"));
    c->in.len += (size_t)len;
    size_t taken = 0, used;
    while (c->in_flight > 0 &&
           (used = d->calls->take(d->calls->ctx, number,
                                  slice_of(c->in.ptr + taken, c->in.len - taken))) > 0) {
        taken += used;
        c->in_flight--;
        c->dry = false;
    }
    memmove(c->in.ptr, c->in.ptr + taken, c->in.len - taken);
    c->in.len -= taken;
}

static void flush(struct connection *c)
{
    while (c->sent < c->out.len) {
        const ssize_t len =
            send(c->socket, c->out.ptr + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (len < 0 && errno == EAGAIN)
            return;
        if (len < 0)
            drive_fail("send", slice_str(strerror(errno)));
        c->sent += (size_t)len;
    }
    buf_clear(&c->out);
    c->sent = 0;
}

static void greet(struct driving *d, unsigned number)
{
    struct connection *c = &d->connections[number];
    for (unsigned step = 0; d->calls->greet && d->calls->greet(d->calls->ctx, step, &c->out);
         step++) {
        flush(c);
        c->in_flight = 1;
        while (c->in_flight > 0)
            receive(d, number);
    }
    c->dry = false;
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
}

static bool is_due(const struct driving *d)
{
    return d->options->rate <= 0 || (double)d->asked < (now() - d->started) * d->options->rate;
}

static void ask(struct driving *d, unsigned number)
{
    struct connection *c = &d->connections[number];
    while (!c->dry && c->in_flight < d->options->window && is_due(d)) {
        c->dry = !d->calls->next(d->calls->ctx, number, &c->out);
        c->in_flight += !c->dry;
        d->asked += !c->dry;
    }
    flush(c);
}

/* False: all is done. */
static bool turn(struct driving *d)
{
    struct pollfd polled[DRIVE_CONNECTIONS];
    const unsigned count = d->options->connections;
    bool busy = false;
    for (unsigned i = 0; i < count; i++) {
        const struct connection *c = &d->connections[i];
        busy = busy || c->in_flight > 0 || !c->dry;
        polled[i] = (struct pollfd){.fd = c->socket,
                                    .events = (short)(POLLIN | (c->out.len > 0 ? POLLOUT : 0))};
    }
    if (!busy)
        return false;
    poll(polled, count, d->options->rate > 0 ? 2 : -1);
    for (unsigned i = 0; i < count; i++) {
        if (polled[i].revents & (POLLIN | POLLHUP | POLLERR))
            receive(d, i);
        ask(d, i);
    }
    return true;
}

void drive(const struct drive_options *options, const struct drive_calls *calls,
           const uint64_t *records)
{
    static struct driving driving;
    struct driving *d = &driving;
    *d = (struct driving){.options = options, .calls = calls};
    for (unsigned i = 0; i < options->connections; i++) {
        d->connections[i] = (struct connection){.socket = connect_to(options)};
        greet(d, i);
    }
    const double before = cpu();
    d->started = now();
    for (unsigned i = 0; i < options->connections; i++)
        ask(d, i);
    while (turn(d))
        ;
    const double seconds = now() - d->started, burnt = cpu() - before;
    for (unsigned i = 0; i < options->connections; i++) {
        close(d->connections[i].socket);
        buf_free(&d->connections[i].in);
        buf_free(&d->connections[i].out);
    }
    printf("{\"records\":%llu,\"seconds\":%.3f,\"cpu\":%.4f}\n", (unsigned long long)*records,
           seconds, burnt);
}
