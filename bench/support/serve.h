#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* A server of one thread for the scripted servers: reads, lets take answer, writes. */

struct serve_connection {
    int socket;
    bool gone;
    struct buf in, out;
    size_t sent; /* of out */
    int state;   /* take's, 0 at first */
};

/* Answers what is complete in c->in (and removes it) by appending to c->out; false: hang up. */
typedef bool serve_take_fn(void *ctx, struct serve_connection *c);

/* Listens on 127.0.0.1:port (0: any), prints the port, serves until it is killed. */
void serve(uint16_t port, serve_take_fn *take, void *ctx);

#endif
