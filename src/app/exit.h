#ifndef APP_EXIT_H
#define APP_EXIT_H

#include "base/err.h"

/* What the program ends with; scripts rely on it. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FOUND = 1,
    EXIT_USAGE = 2,
    EXIT_SERVER = 3,
    EXIT_RUNNING = 4,
    EXIT_STATE = 5,
};

enum exit_code exit_code_of(enum err_code code);
/* One line for help and manual. Borrowed for ever. */
const char *exit_code_meaning(enum exit_code code);

#endif
