#include "job/walk.h"

#include "base/mem.h"
#include "map/convert.h"

#include <stdlib.h>

/* Readers take one part after the other and append its pages to it; the consumer goes through the
 * parts in their order. What is read ahead of it is bounded. */

enum { PARALLEL = 4, PARALLEL_MAX = 16, FOREVER_MS = 3600 * 1000 };

/* One page of rows. */
struct chunk {
    struct chunk *next;
    struct arena arena;
    struct job_sorted *rows;
    uint32_t count, room;
};

struct part {
    struct chunk *first, *last;
    size_t bytes;
    bool ended;
};

struct reader {
    struct job_walk *walk;
    struct part *part; /* that it reads */
    struct chunk *chunk;
    struct io_wake wake;
};

struct job_walk {
    struct job_walk_options o;
    struct part *parts;
    uint32_t started; /* parts that somebody reads or has read */
    uint32_t current; /* the one that is consumed */
    uint32_t done;
    size_t bytes;       /* read ahead */
    uint32_t at;        /* row of the current chunk */
    uint32_t page_size; /* what the last page found right; 0: none was read */
    struct chunk *spent;
    struct reader readers[PARALLEL_MAX];
    struct io_group reading;
    struct io_wake arrived;
    bool stopping, failed;
    struct err failure;
    /* The rows of one token come in the order of their clustering columns. */
    struct job_sorter *group;
    bool grouped;
    struct job_sorted held; /* the row behind the one that was handed out */
    bool has_held;
};

void job_walk_part(int64_t low, int64_t high, uint32_t count, uint32_t i, int64_t *part_low,
                   int64_t *part_high)
{
    const __int128 width = (__int128)high - low;
    *part_low = (int64_t)(low + width * i / count);
    *part_high = (int64_t)(low + width * (i + 1) / count);
}

static void wait_for(struct job_walk *w, struct io_wake *wake)
{
    wake->raised = false;
    io_sleep(w->o.loop, FOREVER_MS, wake);
}

/* --- readers */

static void add_row(void *ctx, const struct source_scanned *from)
{
    const struct reader *reader = ctx;
    struct chunk *chunk = reader->chunk;
    if (chunk->count == chunk->room) {
        const uint32_t room = chunk->room ? 2 * chunk->room : 256;
        struct job_sorted *rows = arena_alloc(&chunk->arena, room * sizeof *rows);
        if (chunk->count)
            memcpy(rows, chunk->rows, chunk->count * sizeof *rows);
        chunk->rows = rows;
        chunk->room = room;
    }
    chunk->rows[chunk->count++] = (struct job_sorted){
        .token = from->token,
        .key = arena_copy(&chunk->arena, from->key.text),
        .version = from->row.version,
        .hash = map_content_hash(reader->walk->o.schema, &from->row.content, false),
        .flags = from->unusable ? JOB_WALK_UNUSABLE : 0,
    };
}

static void append_chunk(struct job_walk *w, struct part *part, struct chunk *chunk)
{
    if (part->last)
        part->last->next = chunk;
    else
        part->first = chunk;
    part->last = chunk;
    part->bytes += chunk->arena.total;
    w->bytes += chunk->arena.total;
}

static void free_chunk(struct chunk *chunk)
{
    arena_free(&chunk->arena);
    free(chunk);
}

/* The part that is consumed may always go on a bit, or everybody would wait for everybody. */
static bool must_wait(const struct job_walk *w, const struct part *part)
{
    if (part == &w->parts[w->current])
        return part->bytes > w->o.memory / 2;
    return w->bytes > w->o.memory / 4 * 3;
}

static bool read_page(struct reader *reader, struct source_range *range, struct err *err)
{
    struct job_walk *w = reader->walk;
    struct chunk *chunk = mem_zalloc(sizeof *chunk);
    reader->chunk = chunk;
    if (!source_scan_page(w->o.scan, range, add_row, reader, err)) {
        free_chunk(chunk);
        return false;
    }
    const uint32_t rows = chunk->count;
    const size_t bytes = chunk->arena.total;
    append_chunk(w, reader->part, chunk);
    reader->part->ended = range->ended;
    w->done += range->ended;
    w->page_size = range->page_size;
    io_wake_raise(&w->arrived);
    if (w->o.paged)
        w->o.paged(w->o.ctx, rows, bytes);
    return true;
}

static bool read_part(struct reader *reader, uint32_t number, struct err *err)
{
    struct job_walk *w = reader->walk;
    struct source_range range;
    int64_t low, high;
    bool fine = true;
    reader->part = &w->parts[number];
    job_walk_part(w->o.low, w->o.high, w->o.ranges, number, &low, &high);
    source_range_open(&range, low, high);
    if (w->page_size)
        range.page_size = w->page_size;
    while (fine && !range.ended && !w->stopping) {
        while (must_wait(w, reader->part) && !w->stopping)
            wait_for(w, &reader->wake);
        fine = w->stopping || read_page(reader, &range, err);
    }
    source_range_close(&range);
    return fine;
}

static void reader_main(void *ctx)
{
    struct reader *reader = ctx;
    struct job_walk *w = reader->walk;
    struct err err = {0};
    while (!w->stopping && w->started < w->o.ranges) {
        if (read_part(reader, w->started++, &err))
            continue;
        if (!w->failed)
            w->failure = err;
        w->failed = true;
        break;
    }
    io_wake_raise(&w->arrived);
}

static void reader_ended(void *ctx)
{
    const struct reader *reader = ctx;
    io_group_done(&reader->walk->reading);
}

struct job_walk *job_walk_new(const struct job_walk_options *options)
{
    struct job_walk *w = mem_zalloc(sizeof *w);
    w->o = *options;
    if (w->o.parallel == 0)
        w->o.parallel = PARALLEL;
    if (w->o.parallel > PARALLEL_MAX)
        w->o.parallel = PARALLEL_MAX;
    w->parts = mem_zalloc(w->o.ranges * sizeof *w->parts);
    w->group = job_sorter_new(w->o.folder, w->o.memory / 4);
    for (unsigned i = 0; i < w->o.parallel; i++) {
        w->readers[i].walk = w;
        io_group_add(&w->reading);
        io_task_start(w->o.loop, reader_main, &w->readers[i], reader_ended);
    }
    return w;
}

static void wake_readers(struct job_walk *w)
{
    for (unsigned i = 0; i < w->o.parallel; i++)
        io_wake_raise(&w->readers[i].wake);
}

void job_walk_free(struct job_walk *w)
{
    if (!w)
        return;
    w->stopping = true;
    wake_readers(w);
    io_group_wait(&w->reading);
    for (uint32_t i = 0; i < w->o.ranges; i++) {
        while (w->parts[i].first) {
            struct chunk *next = w->parts[i].first->next;
            free_chunk(w->parts[i].first);
            w->parts[i].first = next;
        }
    }
    while (w->spent) {
        struct chunk *next = w->spent->next;
        free_chunk(w->spent);
        w->spent = next;
    }
    job_sorter_free(w->group);
    free(w->parts);
    free(w);
}

uint32_t job_walk_done(const struct job_walk *w)
{
    return w->done;
}

/* --- the consumer */

bool job_walk_fine(const struct job_walk *w, struct err *err)
{
    if (w->failed && err)
        *err = w->failure;
    return !w->failed;
}

static void free_spent(struct job_walk *w)
{
    while (w->spent) {
        struct chunk *next = w->spent->next;
        w->bytes -= w->spent->arena.total;
        free_chunk(w->spent);
        w->spent = next;
        wake_readers(w);
    }
}

/* Rows of chunks that are spent stay until the next row is asked for. */
static void spend_chunk(struct job_walk *w, struct part *part)
{
    struct chunk *chunk = part->first;
    part->first = chunk->next;
    if (!part->first)
        part->last = NULL;
    part->bytes -= chunk->arena.total;
    chunk->next = w->spent;
    w->spent = chunk;
    w->at = 0;
    wake_readers(w);
}

/* In the order of tokens. */
static bool next_row(struct job_walk *w, struct job_sorted *row, bool *more, struct err *err)
{
    for (;;) {
        if (!job_walk_fine(w, err))
            return false;
        *more = w->current < w->o.ranges;
        if (!*more)
            return true;
        struct part *part = &w->parts[w->current];
        if (part->first && w->at < part->first->count) {
            *row = part->first->rows[w->at++];
            return true;
        }
        if (part->first) {
            spend_chunk(w, part);
        } else if (part->ended) {
            w->current++;
            wake_readers(w);
        } else {
            wait_for(w, &w->arrived);
        }
    }
}

static bool next_of_group(struct job_walk *w, struct job_sorted *row, bool *more, struct err *err)
{
    if (!job_sorter_next(w->group, row, more, err))
        return false;
    w->grouped = *more;
    return true;
}

/* row and held have the same token: sorts all that have it. */
static bool read_group(struct job_walk *w, const struct job_sorted *row, struct err *err)
{
    const int64_t token = row->token;
    job_sorter_reset(w->group);
    if (!job_sorter_add(w->group, row, err))
        return false;
    while (w->has_held && w->held.token == token) {
        if (!job_sorter_add(w->group, &w->held, err))
            return false;
        free_spent(w);
        if (!next_row(w, &w->held, &w->has_held, err))
            return false;
    }
    w->grouped = true;
    return job_sorter_finish(w->group, err);
}

bool job_walk_next(struct job_walk *w, struct job_sorted *row, bool *more, struct err *err)
{
    if (w->grouped) {
        if (!next_of_group(w, row, more, err) || *more)
            return *more;
    }
    free_spent(w);
    if (w->has_held) {
        *row = w->held;
        *more = true;
    } else if (!next_row(w, row, more, err) || !*more) {
        return !*more && !w->failed;
    }
    if (!next_row(w, &w->held, &w->has_held, err))
        return false;
    if (!w->has_held || w->held.token != row->token)
        return true;
    return read_group(w, row, err) && next_of_group(w, row, more, err);
}
