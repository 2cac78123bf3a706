#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

/* The daemon's local socket: a line with a JSON object {"command":"status"} gets a line with a
 * JSON object back, {"error":"…"} where that failed. Only the daemon's user may connect. */
struct control;

/* Appends one JSON object without newlines to reply; false: no such command. */
typedef bool control_fn(void *ctx, struct slice command, struct buf *reply);

/* Replaces a socket that a crash left behind: the caller must hold the pid file's lock. Errors:
 * ERR_STATE. */
MUST_USE struct control *control_open(struct io_loop *loop, const char *path, control_fn *fn,
                                      void *ctx, struct err *err);
/* Removes the socket; frees itself in the loop's next turns, without calling fn again. */
void control_close(struct control *control);

/* Asks a daemon (blocking) and appends its answer, one line without the newline. Errors:
 * ERR_RUNNING when nobody listens; ERR_TIMEOUT when it does not answer, or ends before it did;
 * ERR_STATE. */
MUST_USE bool control_request(const char *path, const char *command, unsigned timeout_ms,
                              struct buf *reply, struct err *err);

#endif
