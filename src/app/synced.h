#ifndef APP_SYNCED_H
#define APP_SYNCED_H

#include "app/command.h"
#include "job/synced.h"

/* What the state knows of the past, for a command that runs without it: asked of the daemon that
 * has the state, else read under its lock. Where there is no state nothing is known. Free with
 * job_synced_close, also after a failure. */
MUST_USE bool synced_ask(const struct command_line *line, struct job_synced *synced,
                         struct err *err);

#endif
