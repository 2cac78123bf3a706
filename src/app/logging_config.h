#ifndef APP_LOGGING_CONFIG_H
#define APP_LOGGING_CONFIG_H

#include "app/config_value.h"
#include "app/logging_format.h"
#include "base/log.h"

/* What of Python's logging dictConfig this program knows. */

enum { LOGGING_UNSET = -1 }; /* a logger without a level: its parent's counts */

enum logging_kind {
    LOGGING_STREAM,
    LOGGING_FILE,
    LOGGING_ROTATING,
    LOGGING_TIMED,
    LOGGING_NULL,
};

struct logging_handler {
    const char *name;
    enum logging_kind kind;
    int level;                                   /* enum log_level */
    const struct logging_format *format;         /* text; not used by json */
    bool to_stdout;                              /* LOGGING_STREAM */
    const struct logging_format *journal_format; /* where the stream goes to the journal, or NULL */
    const char *file;                            /* absolute, or NULL */
    const char *where;                           /* "FILE:LINE: key" of file */
    bool truncate;
    int64_t max_bytes, backup_count;
    int64_t period;   /* LOGGING_TIMED: s */
    int weekday;      /* 0 Monday to 6; -1: any */
    bool at_midnight; /* periods begin at midnight */
    bool utc;
    const char *suffix; /* strftime format of rotated files */
};

struct logging_logger {
    const char *name; /* "" is the root */
    int level;        /* enum log_level or LOGGING_UNSET */
    bool propagate;
    const size_t *handlers; /* places in logging_config.handlers */
    size_t handler_count;
};

struct logging_config {
    bool json;
    const struct logging_handler *handlers;
    size_t handler_count;
    const struct logging_logger *loggers; /* the root is the last */
    size_t logger_count;
};

/* In r's arena. Errors: ERR_CONFIG. */
MUST_USE struct logging_config *
logging_config_read(struct config_reader *r, const struct config_node *node, struct err *err);
/* Without a logging section: stderr, or (file not NULL) a file that rotates at 10 MiB and keeps
 * 3 older ones; where names its key in messages. Borrows both. */
struct logging_config *logging_config_default(struct arena *arena, enum log_level level,
                                              const char *file, const char *where);
/* "debug", "INFO", "WARN", "CRITICAL", "10". */
MUST_USE bool logging_level_parse(const char *text, int *level);

#endif
