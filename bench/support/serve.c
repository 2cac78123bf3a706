#include "support/serve.h"

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
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, READ_SIZE = 1 << 20 };

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof address;
    const int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, len) != 0 ||
        listen(listening, CONNECTIONS_MAX) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &len) != 0)
        give_up("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listening;
}

static void accept_one(int listening, struct serve_connection *c)
{
    const int one = 1;
    *c = (struct serve_connection){.socket = accept(listening, NULL, NULL)};
    if (c->socket < 0)
        give_up("accept");
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void flush(struct serve_connection *c)
{
    while (c->sent < c->out.len) {
        const ssize_t len =
            send(c->socket, c->out.ptr + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (len < 0) {
            c->gone = errno != EAGAIN;
            return;
        }
        c->sent += (size_t)len;
    }
    buf_clear(&c->out);
    c->sent = 0;
}

static void receive(struct serve_connection *c, serve_take_fn *take, void *ctx)
{
    char *at = buf_reserve(&c->in, READ_SIZE);
    const ssize_t len = recv(c->socket, at, READ_SIZE, 0);
    if (len <= 0) {
        c->gone = len == 0 || errno != EAGAIN;
        return;
    }
    c->in.len += (size_t)len;
    c->gone = !take(ctx, c);
}

static unsigned drop_gone(struct serve_connection *connections, unsigned count)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!connections[i].gone) {
            connections[kept++] = connections[i];
            continue;
        }
        close(connections[i].socket);
        buf_free(&connections[i].in);
        buf_free(&connections[i].out);
    }
    return kept;
}

void serve(uint16_t port, serve_take_fn *take, void *ctx)
{
    static struct serve_connection connections[CONNECTIONS_MAX];
    const int listening = listen_on(port);
    for (unsigned count = 0;; count = drop_gone(connections, count)) {
        struct pollfd polled[CONNECTIONS_MAX + 1];
        for (unsigned i = 0; i < count; i++)
            polled[i] = (struct pollfd){
                .fd = connections[i].socket,
                .events = (short)(POLLIN | (connections[i].out.len > 0 ? POLLOUT : 0))};
        polled[count] =
            (struct pollfd){.fd = listening, .events = count < CONNECTIONS_MAX ? POLLIN : 0};
        if (poll(polled, count + 1, -1) < 0)
            give_up("poll");
        for (unsigned i = 0; i < count; i++) {
            if (polled[i].revents & (POLLIN | POLLHUP | POLLERR))
                receive(&connections[i], take, ctx);
            if (!connections[i].gone)
                flush(&connections[i]);
        }
        if (polled[count].revents & POLLIN)
            accept_one(listening, &connections[count++]);
    }
}
