#ifndef JOB_FILTER_H
#define JOB_FILTER_H

#include "base/slice.h"

#include <stdint.h>

/* Which keys are certainly not there: a Bloom filter in blocks of a cache line. With 10 bits a key
 * about one of a hundred that are not there seems to be. For any thread, in one order for all of
 * them (sequentially consistent). */
struct job_filter;

/* bytes: a power of two, at least 64. */
struct job_filter *job_filter_new(size_t bytes);
void job_filter_free(struct job_filter *filter);

void job_filter_add(struct job_filter *filter, uint64_t hash);
bool job_filter_has(const struct job_filter *filter, uint64_t hash);
uint64_t job_filter_hash(struct slice key);

#endif
