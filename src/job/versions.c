#include "job/versions.h"

#include "base/mem.h"
#include "job/filter.h"
#include "job/sorter.h"
#include "job/temporary.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

/* A key is its hash of 128 bits. Records lie in the file in the order of the first half; of each
 * block the first is kept in memory. */

enum { BLOCK = 256, FILTER_MIN = 1 << 16, FILTER_MAX = 4 << 20 };

struct record {
    uint64_t high, low;
    int64_t version;
};

struct job_versions {
    const char *folder;
    struct job_sorter *sorter; /* while it is filled */
    struct job_filter *filter; /* most keys are not there */
    int fd;
    uint64_t count;
    pthread_mutex_t lock; /* of block, once it is looked up */
    struct record *block; /* what is written next, or was read last */
    uint64_t loaded;      /* its number */
    uint64_t *firsts;
    size_t block_count, room;
};

struct job_versions *job_versions_new(const char *folder, size_t memory)
{
    struct job_versions *v = mem_zalloc(sizeof *v);
    v->folder = folder;
    v->fd = -1;
    v->sorter = job_sorter_new(folder, memory);
    v->block = mem_array(BLOCK, sizeof *v->block);
    v->loaded = UINT64_MAX;
    pthread_mutex_init(&v->lock, NULL);
    return v;
}

void job_versions_free(struct job_versions *v)
{
    if (!v)
        return;
    if (v->fd >= 0)
        close(v->fd);
    job_sorter_free(v->sorter);
    job_filter_free(v->filter);
    pthread_mutex_destroy(&v->lock);
    free(v->block);
    free(v->firsts);
    free(v);
}

uint64_t job_versions_count(const struct job_versions *v)
{
    return v->count;
}

static bool fail(const struct job_versions *v, const char *what, struct err *err)
{
    return job_temporary_fail(v->folder, what, err);
}

/* The first half in the order of unsigned numbers, as tokens are signed. */
static struct record record_of(struct slice key)
{
    const XXH128_hash_t hash = XXH3_128bits(key.ptr, key.len);
    return (struct record){.high = hash.high64, .low = hash.low64};
}

bool job_versions_add(struct job_versions *v, struct slice key, int64_t version, struct err *err)
{
    const struct record r = record_of(key);
    const struct job_sorted record = {
        .token = (int64_t)(r.high ^ 1ULL << 63),
        .key = slice_of(&r.low, sizeof r.low),
        .version = version,
    };
    return job_sorter_add(v->sorter, &record, err);
}

static bool write_block(struct job_versions *v, size_t records, struct err *err)
{
    const size_t len = records * sizeof *v->block;
    if (v->block_count == v->room) {
        v->room = v->room ? 2 * v->room : 64;
        v->firsts = mem_realloc(v->firsts, v->room * sizeof *v->firsts);
    }
    v->firsts[v->block_count++] = v->block[0].high;
    for (size_t done = 0; done < len;) {
        const ssize_t got = write(v->fd, (const char *)v->block + done, len - done);
        if (got < 0 && errno != EINTR)
            return fail(v, "can't be written", err);
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Of several versions of a key the last is the highest. */
static bool write_all(struct job_versions *v, struct err *err)
{
    struct job_sorted sorted;
    size_t fill = 0;
    bool more = true;
    for (;;) {
        if (!job_sorter_next(v->sorter, &sorted, &more, err))
            return false;
        if (!more)
            return fill == 0 || write_block(v, fill, err);
        struct record r = {.high = (uint64_t)sorted.token ^ 1ULL << 63, .version = sorted.version};
        memcpy(&r.low, sorted.key.ptr, sizeof r.low);
        struct record *before = fill > 0 ? &v->block[fill - 1] : NULL;
        if (before && before->high == r.high && before->low == r.low) {
            before->version = r.version;
            continue;
        }
        if (fill == BLOCK) {
            if (!write_block(v, fill, err))
                return false;
            fill = 0;
        }
        v->block[fill++] = r;
        v->count++;
        job_filter_add(v->filter, r.low);
    }
}

bool job_versions_finish(struct job_versions *v, struct err *err)
{
    size_t bytes = FILTER_MIN;
    while (bytes < FILTER_MAX && bytes < 2 * job_sorter_count(v->sorter))
        bytes *= 2;
    v->filter = job_filter_new(bytes);
    v->fd = job_temporary_open(v->folder, err);
    const bool fine = v->fd >= 0 && job_sorter_finish(v->sorter, err) && write_all(v, err);
    job_sorter_free(v->sorter);
    v->sorter = NULL;
    return fine;
}

/* The block in which records of this hash begin: the last one that begins below it. */
static size_t block_of(const struct job_versions *v, uint64_t high)
{
    size_t low = 0, end = v->block_count;
    while (end - low > 1) {
        const size_t middle = low + (end - low) / 2;
        if (v->firsts[middle] < high)
            low = middle;
        else
            end = middle;
    }
    return low;
}

static bool load_block(struct job_versions *v, uint64_t number, size_t *records, struct err *err)
{
    const uint64_t first = number * BLOCK;
    *records = v->count - first < BLOCK ? (size_t)(v->count - first) : BLOCK;
    if (v->loaded == number)
        return true;
    v->loaded = UINT64_MAX;
    const size_t len = *records * sizeof *v->block;
    const off_t at = (off_t)(first * sizeof *v->block);
    for (size_t done = 0; done < len;) {
        const ssize_t got = pread(v->fd, (char *)v->block + done, len - done, at + (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return fail(v, "can't be read", err);
        done += got > 0 ? (size_t)got : 0;
    }
    v->loaded = number;
    return true;
}

static bool look_up(struct job_versions *v, const struct record *wanted, int64_t *version,
                    struct err *err)
{
    for (uint64_t number = block_of(v, wanted->high); number < v->block_count; number++) {
        size_t records;
        if (!load_block(v, number, &records, err))
            return false;
        for (size_t i = 0; i < records && v->block[i].high <= wanted->high; i++) {
            if (v->block[i].high == wanted->high && v->block[i].low == wanted->low) {
                *version = v->block[i].version;
                return true;
            }
        }
        if (v->block[records - 1].high > wanted->high)
            return true;
    }
    return true;
}

bool job_versions_find(struct job_versions *v, struct slice key, int64_t *version, struct err *err)
{
    const struct record wanted = record_of(key);
    *version = 0;
    if (v->count == 0 || !job_filter_has(v->filter, wanted.low))
        return true;
    pthread_mutex_lock(&v->lock);
    const bool fine = look_up(v, &wanted, version, err);
    pthread_mutex_unlock(&v->lock);
    return fine;
}
