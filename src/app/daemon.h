#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "app/exit.h"
#include "base/attr.h"

#include <sys/types.h>

/* Processes in the background. */

/* The daemon's line to whoever waits for it to be up. */
struct daemon_link;

/* Starts fn in a process of its own: new session, folder /, umask 077, no
 * descriptors but the standard streams. Returns in the caller, when
 * the daemon called daemon_ready (its pid) or daemon_failed, or ended without either (-1, with code
 * and err set). fn's result is the process's exit code. To be called before there are threads. */
typedef enum exit_code daemon_fn(void *ctx, struct daemon_link *link);
MUST_USE pid_t daemon_start(daemon_fn *fn, void *ctx, enum exit_code *code, struct err *err);
/* The daemon is up: from here on its standard streams are /dev/null. NULL is allowed. */
void daemon_ready(struct daemon_link *link);
/* It won't be: why goes to the caller. NULL is allowed. */
void daemon_failed(struct daemon_link *link, const struct err *why);

/* A daemon that is told to stop ends its batch, or after this time leaves it. Whoever stops it
 * waits for longer. */
enum { DAEMON_PATIENCE_MS = 20000, DAEMON_STOP_MS = 30000 };

/* Sends SIGTERM to the process that has the pid file's lock and waits until it gave it up.
 * Returns its pid; 0 when none ran; -1 with err set, ERR_TIMEOUT when it still runs. */
MUST_USE pid_t daemon_stop(const char *pid_file, unsigned timeout_ms, struct err *err);

#endif
