#ifndef APP_MONITOR_H
#define APP_MONITOR_H

#include "app/config.h"
#include "app/engine.h"
#include "app/service.h"
#include "status/snapshot.h"

/* Looks at the engines every second and makes a snapshot of what it sees: for the status page,
 * whose listener it keeps, for the service manager and for `status`. Lives from the daemon's start
 * to its end, over reloads; its counters go on with each new engine of the same pipeline. */
struct monitor;

/* loop, log and service (may be NULL) are borrowed for its life. */
struct monitor *monitor_new(struct io_loop *loop, const struct log *log, struct service *service);
/* Goes on with these engines, as config says; they are borrowed until monitor_leave, config until
 * the next call or monitor_close. What can't be listened on now is logged and tried again:
 * the sync does not depend on it. */
void monitor_watch(struct monitor *monitor, const struct app_config *config,
                   struct engine *const *engines, size_t count);
/* The engines are about to end. */
void monitor_leave(struct monitor *monitor);
/* How things are now. Free with status_snapshot_unref. */
MUST_USE struct status_snapshot *monitor_look(struct monitor *monitor);
/* Stops listening; frees itself in the loop's next turns. NULL is allowed. */
void monitor_close(struct monitor *monitor);

#endif
