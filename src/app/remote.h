#ifndef APP_REMOTE_H
#define APP_REMOTE_H

#include "app/session.h"

/* Commands that need the state: the daemon that has it does them, else this process takes the
 * state's lock and does them itself. */

/* request: {"command":…}, for the pipeline that is meant. line is called for each line but the last
 * (control.h), result gets the last. Errors: those of the command; ERR_RUNNING when somebody else
 * has the state and can't be asked; ERR_STATE. */
MUST_USE bool remote_run(struct session *s, struct slice request,
                         void (*line)(void *ctx, struct slice line), void *ctx, struct buf *result,
                         struct err *err);

#endif
