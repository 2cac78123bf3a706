#include "app/exit.h"

enum exit_code exit_code_of(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return EXIT_DONE;
    case ERR_VALUE:
    case ERR_CONFLICT:
    case ERR_TOO_LARGE:
    case ERR_CANCELLED: /* by a signal: not all was done */
        return EXIT_FOUND;
    case ERR_CONFIG:
    case ERR_SCHEMA: /* the tables and index are not what the configuration says */
        return EXIT_USAGE;
    case ERR_RUNNING:
        return EXIT_RUNNING;
    case ERR_STATE:
    case ERR_INTERNAL:
        return EXIT_STATE;
    default:
        return EXIT_SERVER;
    }
}

const char *exit_code_meaning(enum exit_code code)
{
    static const char *const meanings[] = {
        [EXIT_DONE] = "done, equal, healthy (warnings included)",
        [EXIT_FOUND] = "done, but with differences, findings or dead letters, or unhealthy",
        [EXIT_USAGE] = "usage or configuration",
        [EXIT_SERVER] = "a server could not be reached, or refused",
        [EXIT_RUNNING] = "running already, or not running",
        [EXIT_STATE] = "own state: unreadable, newer than the program, disk full",
    };
    return meanings[code];
}
