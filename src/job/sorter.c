#include "job/sorter.h"

#include "base/buf.h"
#include "base/mem.h"
#include "job/temporary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In memory and in the file a record is this, then its key. */
struct packed {
    int64_t token;
    int64_t version;
    struct change_hash hash;
    uint16_t len;
    uint8_t flags;
} __attribute__((packed));

/* One of a batch: the token is at hand for most comparisons. */
struct place {
    int64_t token;
    size_t at;
};

/* A sorted run of the file while it is read; or (fd < 0) what is still in memory. */
struct run {
    uint64_t at, end; /* in the file, of what is not in buffer yet */
    char *buffer;
    size_t from, len;
    struct job_sorted head;
};

struct job_sorter {
    const char *folder;
    size_t memory;
    int fd;
    uint64_t size, count;
    struct buf batch;
    struct place *places;
    size_t place_count, place_room;
    struct run *runs;
    size_t run_count, run_room;
    size_t run_buffer;
    size_t longest;    /* record, in bytes */
    struct run **heap; /* smallest head first */
    size_t heap_count;
    struct run *last;  /* whose head was given out */
    size_t next_place; /* when nothing was spilled */
};

enum { MEMORY_MIN = 1 << 20, RUN_BUFFER_MIN = 4 << 10 };

static bool fail(struct err *err, const struct job_sorter *s, const char *what)
{
    return job_temporary_fail(s->folder, what, err);
}

struct job_sorter *job_sorter_new(const char *folder, size_t memory)
{
    struct job_sorter *s = mem_zalloc(sizeof *s);
    s->folder = folder;
    s->memory = memory > MEMORY_MIN ? memory : MEMORY_MIN;
    s->fd = -1;
    return s;
}

void job_sorter_reset(struct job_sorter *s)
{
    if (s->fd >= 0)
        close(s->fd);
    for (size_t i = 0; i < s->run_count; i++)
        free(s->runs[i].buffer);
    free((void *)s->heap);
    buf_clear(&s->batch);
    s->fd = -1;
    s->heap = NULL;
    s->last = NULL;
    s->size = s->count = 0;
    s->place_count = s->next_place = s->run_count = s->heap_count = 0;
}

void job_sorter_free(struct job_sorter *s)
{
    if (!s)
        return;
    job_sorter_reset(s);
    buf_free(&s->batch);
    free(s->places);
    free(s->runs);
    free(s);
}

uint64_t job_sorter_count(const struct job_sorter *s)
{
    return s->count;
}

uint64_t job_sorter_spilled(const struct job_sorter *s)
{
    return s->size;
}

/* --- order */

static struct job_sorted unpack(const char *at)
{
    struct packed p;
    memcpy(&p, at, sizeof p);
    return (struct job_sorted){.token = p.token,
                               .key = slice_of(at + sizeof p, p.len),
                               .version = p.version,
                               .hash = p.hash,
                               .flags = p.flags};
}

int job_sorted_compare(const struct job_sorted *a, const struct job_sorted *b)
{
    if (a->token != b->token)
        return a->token < b->token ? -1 : 1;
    const size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
    const int order = len ? memcmp(a->key.ptr, b->key.ptr, len) : 0;
    return order ? order : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

static int compare_all(const struct job_sorted *a, const struct job_sorted *b)
{
    const int order = job_sorted_compare(a, b);
    return order ? order : (a->version > b->version) - (a->version < b->version);
}

static int compare_places(const void *a, const void *b, void *ctx)
{
    const struct place *x = a, *y = b;
    const char *base = ctx;
    if (x->token != y->token)
        return x->token < y->token ? -1 : 1;
    const struct job_sorted p = unpack(base + x->at), q = unpack(base + y->at);
    return compare_all(&p, &q);
}

static void sort_batch(struct job_sorter *s)
{
    if (s->place_count > 1)
        qsort_r(s->places, s->place_count, sizeof *s->places, compare_places, s->batch.ptr);
}

/* --- writing */

static bool open_file(struct job_sorter *s, struct err *err)
{
    if (s->fd >= 0)
        return true;
    s->fd = job_temporary_open(s->folder, err);
    return s->fd >= 0;
}

static bool write_all(struct job_sorter *s, const char *data, size_t len, struct err *err)
{
    while (len > 0) {
        const ssize_t wrote = write(s->fd, data, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return fail(err, s, "can't be written");
        data += wrote;
        len -= (size_t)wrote;
        s->size += (uint64_t)wrote;
    }
    return true;
}

static struct run *add_run(struct job_sorter *s)
{
    if (s->run_count == s->run_room) {
        s->run_room = s->run_room ? 2 * s->run_room : 16;
        s->runs = mem_realloc(s->runs, s->run_room * sizeof *s->runs);
    }
    struct run *run = &s->runs[s->run_count++];
    *run = (struct run){.at = s->size};
    return run;
}

static bool spill(struct job_sorter *s, struct err *err)
{
    struct buf out = {0};
    bool fine = open_file(s, err);
    struct run *run = add_run(s);
    sort_batch(s);
    for (size_t i = 0; fine && i < s->place_count; i++) {
        const char *record = s->batch.ptr + s->places[i].at;
        buf_append(&out, record, sizeof(struct packed) + unpack(record).key.len);
        if (out.len >= 1 << 18) {
            fine = write_all(s, out.ptr, out.len, err);
            buf_clear(&out);
        }
    }
    fine = fine && write_all(s, out.ptr, out.len, err);
    buf_free(&out);
    run->end = s->size;
    buf_clear(&s->batch);
    s->place_count = 0;
    return fine;
}

/* A batch takes half of the memory, so that buf and places may grow by doubling. */
static bool is_full(const struct job_sorter *s, size_t more)
{
    return s->place_count > 0 &&
           s->batch.len + more + s->place_count * sizeof *s->places > s->memory / 2;
}

bool job_sorter_add(struct job_sorter *s, const struct job_sorted *record, struct err *err)
{
    const struct packed p = {record->token, record->version, record->hash,
                             (uint16_t)record->key.len, record->flags};
    if (record->key.len > UINT16_MAX)
        return err_set(err, ERR_INTERNAL, "a key of %zu bytes", record->key.len);
    if (s->longest < sizeof p + record->key.len)
        s->longest = sizeof p + record->key.len;
    if (is_full(s, sizeof p + record->key.len) && !spill(s, err))
        return false;
    if (s->place_count == s->place_room) {
        s->place_room = s->place_room ? 2 * s->place_room : 1024;
        s->places = mem_realloc(s->places, s->place_room * sizeof *s->places);
    }
    s->places[s->place_count++] = (struct place){record->token, s->batch.len};
    buf_append(&s->batch, &p, sizeof p);
    buf_append_slice(&s->batch, record->key);
    s->count++;
    return true;
}

/* --- reading */

static bool refill(struct job_sorter *s, struct run *run, struct err *err)
{
    memmove(run->buffer, run->buffer + run->from, run->len - run->from);
    run->len -= run->from;
    run->from = 0;
    while (run->len < s->run_buffer && run->at < run->end) {
        size_t want = s->run_buffer - run->len;
        if (want > run->end - run->at)
            want = (size_t)(run->end - run->at);
        const ssize_t got = pread(s->fd, run->buffer + run->len, want, (off_t)run->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail(err, s, "can't be read");
        run->len += (size_t)got;
        run->at += (uint64_t)got;
    }
    return true;
}

/* The next record becomes the run's head; *more false: there is none. */
static bool advance(struct job_sorter *s, struct run *run, bool *more, struct err *err)
{
    const size_t left = run->len - run->from;
    const bool whole = left >= sizeof(struct packed) &&
                       left >= sizeof(struct packed) + unpack(run->buffer + run->from).key.len;
    if (!whole && run->at < run->end && !refill(s, run, err))
        return false;
    *more = run->from < run->len;
    if (*more) {
        run->head = unpack(run->buffer + run->from);
        run->from += sizeof(struct packed) + run->head.key.len;
    }
    return true;
}

static void sift_down(struct job_sorter *s, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->heap_count; child++) {
            if (compare_all(&s->heap[child]->head, &s->heap[least]->head) < 0)
                least = child;
        }
        if (least == at)
            return;
        struct run *run = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = run;
        at = least;
    }
}

static bool open_runs(struct job_sorter *s, struct err *err)
{
    s->run_buffer = s->memory / s->run_count;
    if (s->run_buffer < RUN_BUFFER_MIN)
        s->run_buffer = RUN_BUFFER_MIN;
    if (s->run_buffer > s->memory / 4)
        s->run_buffer = s->memory / 4;
    if (s->run_buffer < s->longest)
        s->run_buffer = s->longest; /* a whole record must fit */
    s->heap = mem_array(s->run_count, sizeof *s->heap);
    for (size_t i = 0; i < s->run_count; i++) {
        struct run *run = &s->runs[i];
        bool more;
        run->buffer = mem_alloc(s->run_buffer);
        if (!advance(s, run, &more, err))
            return false;
        if (more)
            s->heap[s->heap_count++] = run;
    }
    for (size_t i = s->heap_count; i-- > 0;)
        sift_down(s, i);
    return true;
}

bool job_sorter_finish(struct job_sorter *s, struct err *err)
{
    if (s->run_count == 0) {
        sort_batch(s);
        return true;
    }
    if (s->place_count > 0 && !spill(s, err))
        return false;
    buf_free(&s->batch);
    free(s->places);
    s->places = NULL;
    s->place_count = s->place_room = 0;
    return open_runs(s, err);
}

static bool next_in_memory(struct job_sorter *s, struct job_sorted *record)
{
    if (s->next_place == s->place_count)
        return false;
    *record = unpack(s->batch.ptr + s->places[s->next_place++].at);
    return true;
}

bool job_sorter_next(struct job_sorter *s, struct job_sorted *record, bool *more, struct err *err)
{
    if (s->run_count == 0) {
        *more = next_in_memory(s, record);
        return true;
    }
    if (s->last) {
        bool goes_on;
        if (!advance(s, s->last, &goes_on, err))
            return false;
        if (!goes_on)
            s->heap[0] = s->heap[--s->heap_count];
        sift_down(s, 0);
        s->last = NULL;
    }
    *more = s->heap_count > 0;
    if (*more) {
        s->last = s->heap[0];
        *record = s->last->head;
    }
    return true;
}
