#ifndef APP_LOGGING_FILE_H
#define APP_LOGGING_FILE_H

#include "app/logging_config.h"

/* A log file that is rotated by size or time. Once it is open, no failure is told: lines that
 * can't be written are lost, and a file that can't be opened is tried again with the next line. */
struct logging_file;

/* Borrows handler. Errors: ERR_CONFIG. */
MUST_USE struct logging_file *logging_file_open(const struct logging_handler *handler,
                                                struct err *err);
/* line ends with a newline; now is µs since 1970. */
void logging_file_write(struct logging_file *f, struct slice line, int64_t now_us);
/* For what moved the file away. */
void logging_file_reopen(struct logging_file *f);
void logging_file_close(struct logging_file *f);

#endif
