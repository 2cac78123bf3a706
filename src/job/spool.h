#ifndef JOB_SPOOL_H
#define JOB_SPOOL_H

#include "base/buf.h"
#include "base/err.h"

/* Lines that are written first and read afterwards, in a file that goes away by itself. */
struct job_spool;

/* NULL: ERR_STATE. folder is borrowed. */
MUST_USE struct job_spool *job_spool_new(const char *folder, struct err *err);
void job_spool_free(struct job_spool *spool);
/* line has no newline. Errors: ERR_STATE. */
MUST_USE bool job_spool_add(struct job_spool *spool, struct slice line, struct err *err);
/* From the first on; *line is borrowed until the next call, null at the end. */
MUST_USE bool job_spool_next(struct job_spool *spool, struct slice *line, struct err *err);

#endif
