#include "source/given.h"

#include "base/mem.h"

#include <stdlib.h>
#include <xxhash.h>

void source_given_free(struct source_given *given)
{
    free(given->before.at);
    free(given->present.at);
    *given = (struct source_given){0};
}

void source_given_begin(struct source_given *given, bool keep)
{
    given->present.count = 0;
    given->next = 0;
    given->kept = keep;
}

static struct source_given_row row_of(uint32_t bucket, int64_t version, const struct slice *cells,
                                      uint32_t count)
{
    XXH128_hash_t hash = {0};
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t len = slice_is_null(cells[i]) ? UINT64_MAX : cells[i].len;
        const uint64_t seed = hash.low64 ^ hash.high64 ^ len;
        const XXH128_hash_t cell = XXH3_128bits_withSeed(cells[i].ptr, cells[i].len, seed);
        hash = (XXH128_hash_t){hash.low64 * 31 + cell.low64, hash.high64 * 31 + cell.high64};
    }
    return (struct source_given_row){
        .hash = {hash.low64, hash.high64}, .version = version, .bucket = bucket};
}

static bool is_below(const struct source_given_row *a, const struct source_given_row *b)
{
    return a->bucket != b->bucket ? a->bucket < b->bucket : a->version < b->version;
}

static bool is_next(struct source_given *given, const struct source_given_row *row)
{
    const struct source_given_rows *before = &given->before;
    while (given->next < before->count && is_below(&before->at[given->next], row))
        given->next++;
    if (given->next == before->count)
        return false;
    const struct source_given_row *next = &before->at[given->next];
    const bool same =
        next->hash[0] == row->hash[0] && next->hash[1] == row->hash[1] && !is_below(row, next);
    given->next += same;
    return same;
}

static void keep(struct source_given_rows *rows, const struct source_given_row *row)
{
    if (rows->count == SOURCE_GIVEN_MAX)
        return;
    if (rows->count == rows->capacity) {
        const uint32_t capacity = rows->capacity + rows->capacity / 8 + 256;
        rows->capacity = capacity < SOURCE_GIVEN_MAX ? capacity : SOURCE_GIVEN_MAX;
        rows->at = mem_realloc(rows->at, rows->capacity * sizeof *rows->at);
    }
    rows->at[rows->count++] = *row;
}

bool source_given_before(struct source_given *given, uint32_t bucket, int64_t version,
                         const struct slice *cells, uint32_t count)
{
    if (!given->kept)
        return false;
    const struct source_given_row row = row_of(bucket, version, cells, count);
    keep(&given->present, &row);
    return is_next(given, &row);
}

void source_given_done(struct source_given *given)
{
    const struct source_given_rows before = given->before;
    given->before = given->present; /* of a window that is not kept: none */
    given->present = before;
}
