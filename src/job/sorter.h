#ifndef JOB_SORTER_H
#define JOB_SORTER_H

#include "base/arena.h"
#include "base/err.h"
#include "change/record.h"

#include <stdint.h>

/* Sorts any number of records in bounded memory: what does not fit goes to a file as sorted runs,
 * which are merged while they are read. The file is unlinked at once: a crash leaves nothing. */
struct job_sorter;

struct job_sorted {
    int64_t token;
    struct slice key; /* as text, at most 65535 bytes */
    int64_t version;
    struct change_hash hash;
    uint8_t flags; /* the caller's */
};

/* folder: of the file; memory: bytes, in all phases (at least 1 MiB are used). Borrowed. */
MUST_USE struct job_sorter *job_sorter_new(const char *folder, size_t memory);
void job_sorter_free(struct job_sorter *sorter);
/* Empties it for other records. */
void job_sorter_reset(struct job_sorter *sorter);

/* Copies the record. Errors: ERR_STATE (the disk is full). */
MUST_USE bool job_sorter_add(struct job_sorter *sorter, const struct job_sorted *record,
                             struct err *err);
/* Nothing is added any more; reading begins. */
MUST_USE bool job_sorter_finish(struct job_sorter *sorter, struct err *err);
/* In the order of token, then key's bytes, then version; *more false at the end. The key is
 * borrowed until the next call. */
MUST_USE bool job_sorter_next(struct job_sorter *sorter, struct job_sorted *record, bool *more,
                              struct err *err);
/* Tokens first, then keys. */
int job_sorted_compare(const struct job_sorted *a, const struct job_sorted *b);

uint64_t job_sorter_count(const struct job_sorter *sorter);
/* Bytes that were written to the file. */
uint64_t job_sorter_spilled(const struct job_sorter *sorter);

#endif
