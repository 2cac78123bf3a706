#ifndef APP_EXIT_H
#define APP_EXIT_H

#include "base/err.h"

/* What the program ends with; scripts rely on it. */
enum exit_code {
    EXIT_DONE = 0,    /* done, equal, healthy (warnings included) */
    EXIT_FOUND = 1,   /* done, but there are differences, findings, new dead letters; unhealthy */
    EXIT_USAGE = 2,   /* usage or configuration */
    EXIT_SERVER = 3,  /* a server could not be reached or refused */
    EXIT_RUNNING = 4, /* running already, or not running */
    EXIT_STATE = 5,   /* own state: unreadable, newer than the program, disk full, internal */
};

enum exit_code exit_code_of(enum err_code code);

#endif
