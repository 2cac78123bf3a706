#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "app/exit.h"
#include "base/attr.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The command line: one table of options, one of commands. */

#define COMMAND_SUMMARY "keeps a Cassandra table and an Elasticsearch index in sync"

enum command_option {
    OPT_CONFIG,
    OPT_LOG_LEVEL,
    OPT_PIPELINE,
    OPT_HELP,
    OPT_VERSION,
    OPT_JSON,
    OPT_SINCE,
    OPT_ONCE,
    OPT_DRY_RUN,
    OPT_PRINT,
    OPT_MARKDOWN,
    OPT_MAN,
    OPT_RATE,
    OPT_SAMPLE,
    OPT_MEMORY,
    OPT_RANGE,
    OPT_KEYS_TO,
    OPT_KEYS,
    OPT_POLICY,
    OPT_MISSING,
    OPT_FROM,
    OPT_RESUME,
    OPT_RELAX,
    OPT_COUNT,
};

struct command;
struct command_line {
    const struct command *command;
    const char *argument;          /* what follows the command, or NULL */
    const char *argument2;         /* and what follows that */
    const char *values[OPT_COUNT]; /* NULL: not given; "" where there is no value */
    int log_level;                 /* enum log_level or LOGGING_UNSET */
    int64_t since;                 /* 0: not given */
};

typedef enum exit_code command_fn(const struct command_line *line);

struct command {
    const char *name;
    const char *argument; /* "[TOPIC]", or NULL: takes none */
    unsigned arguments;   /* how many of them, at most */
    unsigned options;     /* bits of enum command_option, besides those that all have */
    command_fn *run;
    const char *summary; /* one line */
    const char *help;    /* more, with examples; or NULL */
};

/* One of enum command_option. */
struct command_option_info {
    const char *name;
    char letter;         /* of its short form, or 0 */
    const char *value;   /* its name, or NULL: takes none */
    const char *choices; /* the values there are, "a|b|c", or NULL: any */
    const char *help;    /* one line */
};

/* Borrowed for ever. */
const struct command_option_info *command_option_get(enum command_option option);
/* Bits of enum command_option: all that command takes; NULL: those before a command. */
unsigned command_options(const struct command *command);

/* The table; its functions are in cmd_*.c. Borrowed for ever. */
const struct command *command_table(size_t *count);
const struct command *command_find(const char *name);

/* Errors: ERR_CONFIG, one line with the nearest known name. Strings are borrowed from argv, which
 * may be reordered. */
MUST_USE bool command_parse(int argc, char **argv, struct command_line *line, struct err *err);
/* All of main. */
int command_main(int argc, char **argv);

/* One line on stderr; returns the exit code. */
enum exit_code command_fail(const struct err *err);
/* The program's, or (not NULL) one command's. */
void command_help(const struct command *command, struct buf *out);
/* ": a, b, c", or nothing. */
void command_append_choices(const struct command_option_info *option, struct buf *out);
/* Writes out to stdout and frees it. */
void command_print(struct buf *out);

command_fn cmd_run, cmd_pause, cmd_resume, cmd_start, cmd_stop, cmd_restart, cmd_status, cmd_reload,
    cmd_sync, cmd_init, cmd_init_config, cmd_check, cmd_dlq, cmd_explain, cmd_verify, cmd_repair,
    cmd_load, cmd_help, cmd_version, cmd_completion;

#endif
