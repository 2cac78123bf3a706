#ifndef APP_PID_FILE_H
#define APP_PID_FILE_H

#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* A file with the daemon's process id. Its lock is what says that the daemon runs: it goes away
 * with the process, however that ends, and a number that belongs to somebody else by now means
 * nothing. */
struct pid_file;

/* Takes the lock and writes the own pid; makes the file's folder (0700) when that is missing.
 * Errors: ERR_RUNNING when another process has the lock; ERR_STATE. */
MUST_USE struct pid_file *pid_file_lock(const char *path, struct err *err);
/* Removes the file and gives up the lock. NULL is allowed. */
void pid_file_release(struct pid_file *file);
/* The process that has the lock; 0: none has. -1 with err set (ERR_STATE) when the file can't be
 * read. */
MUST_USE pid_t pid_file_owner(const char *path, struct err *err);

#endif
