#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Requests to a real server as cheaply as can be: connections with so many requests in flight
 * each, answers counted and dropped. */

enum { DRIVE_CONNECTIONS = 16 };

struct drive_options {
    const char *host;
    uint16_t port;
    unsigned connections, window; /* in flight on each */
    double rate;                  /* requests a second; 0: as fast as it goes */
};

struct drive_calls {
    /* Appends one request; false: there is none for this connection (now, if some are in flight).
     */
    bool (*next)(void *ctx, unsigned connection, struct buf *out);
    /* Takes one answer; returns its length, 0 while it is not complete. */
    size_t (*take)(void *ctx, unsigned connection, struct slice in);
    /* Before everything: what is sent first on each connection, answered by one answer each.
     * NULL: nothing. */
    bool (*greet)(void *ctx, unsigned step, struct buf *out);
    void *ctx;
};

/* Until nothing is left to ask. Prints {"records", "seconds", "cpu" (of this process, in seconds)},
 * both from behind the greeting. */
void drive(const struct drive_options *options, const struct drive_calls *calls,
           const uint64_t *records);
_Noreturn void drive_fail(const char *what, struct slice text);

#endif
