#ifndef JOB_VERSIONS_H
#define JOB_VERSIONS_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

/* The highest version of each of any number of keys, in bounded memory: collected first, looked up
 * afterwards. What is looked up lies in a file that goes away by itself. */
struct job_versions;

/* folder is borrowed; memory: bytes while it is filled. */
struct job_versions *job_versions_new(const char *folder, size_t memory);
void job_versions_free(struct job_versions *versions);

/* Errors: ERR_STATE. */
MUST_USE bool job_versions_add(struct job_versions *versions, struct slice key, int64_t version,
                               struct err *err);
/* Nothing is added any more. */
MUST_USE bool job_versions_finish(struct job_versions *versions, struct err *err);
/* For any thread. *version 0: the key is not among them. */
MUST_USE bool job_versions_find(struct job_versions *versions, struct slice key, int64_t *version,
                                struct err *err);
/* Of different keys. */
uint64_t job_versions_count(const struct job_versions *versions);

#endif
