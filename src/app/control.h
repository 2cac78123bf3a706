#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "io/loop.h"

/* The daemon's local socket. A request is a line with a JSON object, {"command":"status",…}. Its
 * answer is one line or more, each a JSON object; all but the last begin with a member "progress"
 * or "item"; the last is {"error":"…","code":N} where it failed. Only the daemon's user may
 * connect. */
struct control;
struct control_call;

/* Takes a request (borrowed for the call) and answers it, at once or later, by control_say and, at
 * last, control_end. */
typedef void control_fn(void *ctx, struct control_call *call, struct slice command,
                        const struct json_node *request);

/* Replaces a socket that a crash left behind: the caller must hold the pid file's lock. Errors:
 * ERR_STATE. */
MUST_USE struct control *control_open(struct io_loop *loop, const char *path, control_fn *fn,
                                      void *ctx, struct err *err);
/* Removes the socket; frees itself in the loop's next turns, without calling fn again. All calls
 * must have been ended. */
void control_close(struct control *control);

/* One line of the answer, without the newline; copied. */
void control_say(struct control_call *call, struct slice line);
/* The last line for what failed. */
void control_say_error(struct control_call *call, const struct err *err);
/* For tasks: waits until the client has taken most of what was said. */
void control_drain(struct control_call *call);
void control_end(struct control_call *call);
/* Calls fn when the client goes away before the end; its answer goes nowhere from then on. */
void control_on_hangup(struct control_call *call, void (*fn)(void *ctx), void *ctx);

/* Asks a daemon (blocking): request is the JSON object. line is called for each line of the answer
 * (borrowed for the call) and may be NULL; false ends it. last_ms: how long the daemon may be
 * silent; 0: as long as it wants. Errors: ERR_RUNNING when nobody listens; ERR_TIMEOUT when it does
 * not answer, or ends before it did; ERR_STATE; that of an error line. */
typedef bool control_line_fn(void *ctx, struct slice line);
MUST_USE bool control_request(const char *path, struct slice request, unsigned silence_ms,
                              control_line_fn *line, void *ctx, struct err *err);
/* The same for {"command":command} and an answer of one line, appended to reply. */
MUST_USE bool control_ask(const char *path, const char *command, unsigned silence_ms,
                          struct buf *reply, struct err *err);

/* What the lines are: whether more follow; {"error":…} becomes err. */
bool control_line_is_last(struct slice line);
MUST_USE bool control_line_check(struct slice line, struct err *err);
void control_append_error(struct buf *out, const struct err *err);

#endif
