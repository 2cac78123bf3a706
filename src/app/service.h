#ifndef APP_SERVICE_H
#define APP_SERVICE_H

#include "base/log.h"
#include "io/loop.h"
#include "status/snapshot.h"

/* What a service manager (systemd, Type=notify or notify-reload) is told of the daemon: that it
 * works, reads its configuration, stops; its state in words; and that it makes progress, which
 * feeds the watchdog. */
struct service;

/* NULL: no manager wants to be told; every function here allows that. loop and log are borrowed
 * for its life. */
MUST_USE struct service *service_open(struct io_loop *loop, const struct log *log);
/* At the start, and after each service_reloading. */
void service_ready(struct service *service);
void service_reloading(struct service *service);
/* why: NULL, or what it ends by. */
void service_stopping(struct service *service, const char *why);
/* How things are now, about once a second. While a pipeline of it is stuck, the watchdog gets
 * nothing: a server that is down or a long cycle is not that (status/judge.h). */
void service_look(struct service *service, const struct status_snapshot *snapshot);
/* Frees itself in the loop's next turns. */
void service_close(struct service *service);

#endif
