#ifndef JOB_TEMPORARY_H
#define JOB_TEMPORARY_H

#include "base/err.h"

/* A file that is gone once it is closed, also after a crash; -1 with ERR_STATE. */
MUST_USE int job_temporary_open(const char *folder, struct err *err);
/* What errno says of it: ERR_STATE. Returns false. */
bool job_temporary_fail(const char *folder, const char *what, struct err *err);

#endif
