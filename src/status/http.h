#ifndef STATUS_HTTP_H
#define STATUS_HTTP_H

#include "status/listen.h"
#include "status/snapshot.h"

/* The listener: page, status.json, metrics, health. It has a thread of its own, which sees nothing
 * but snapshots that are handed over: whoever asks, however slowly or often, takes neither the
 * loop's time nor its memory. A connection is for one request and lives for 10 s at most; there are
 * at most 64, and a crowd drives out those that have waited longest. Bodies are not read.
 *
 * Polling from the loop would spare the thread, but then a page that is rendered for a crowd of
 * readers delays every answer of the stores. */
struct status_http;

struct status_http_options {
    struct status_listen listen;
    const char *token; /* that requests must carry; NULL: none; copied */
};

/* snapshot: what is served until another one is published; a reference is taken. Errors: ERR_CONFIG
 * (the address is taken, or not this machine's), ERR_INTERNAL. */
MUST_USE struct status_http *status_http_start(const struct status_http_options *options,
                                               struct status_snapshot *snapshot, struct err *err);
/* From the thread that started it; takes a reference. */
void status_http_publish(struct status_http *http, struct status_snapshot *snapshot);
/* Ends the thread and all connections. NULL is allowed. */
void status_http_stop(struct status_http *http);

#endif
