#ifndef APP_LOGGING_H
#define APP_LOGGING_H

#include "app/logging_config.h"
#include "base/log.h"

/* The process's logging: loggers by dotted name, as Python has them. May be used by several
 * threads. After opening, no failure to write is told. */
struct logging;

struct logging_options {
    int level; /* enum log_level that overrules all of caes, or LOGGING_UNSET */
};

/* Borrows config. Errors: ERR_CONFIG when a log file can't be opened. */
MUST_USE struct logging *logging_open(const struct logging_config *config,
                                      const struct logging_options *options, struct err *err);
/* The logger of that name ("caes.pipeline"); borrowed until logging_close, across logging_apply. */
const struct log *logging_get(struct logging *logging, const char *name);
/* Goes on with another config; nothing changes when a file of it can't be opened. */
MUST_USE bool logging_apply(struct logging *logging, const struct logging_config *config,
                            struct err *err);
/* Opens all log files again. */
void logging_reopen(struct logging *logging);
/* Whether some line would reach a file: a process without a terminal logs nowhere else. */
bool logging_has_file(const struct logging_config *config);
void logging_close(struct logging *logging);

#endif
