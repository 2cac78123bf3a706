#include "base/mem.h"
#include "job/load_internal.h"
#include "job/walk.h"
#include "source/await.h"
#include "source/index.h"
#include "source/scan.h"

#include <stdlib.h>

/* What is read is divided so that a part can be repeated without much ado. */
enum {
    PART_RECORDS = 20000,
    PARTS_MIN = 16, /* of a table: the server may not know yet how large it is */
    PARTS_MAX = 65536
};

void load_add_part(struct load *l, int64_t low, int64_t high)
{
    if ((l->part_count & (l->part_count + 1)) == 0) /* grows by doubling */
        l->parts = mem_realloc(l->parts, (2 * (size_t)l->part_count + 2) * sizeof *l->parts);
    l->parts[l->part_count++] = (struct store_load_part){.low = low, .high = high, .position = low};
}

static bool divide_tokens(struct load *l, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    int64_t partitions;
    if (!source_scan_estimate(stores->cassandra, &stores->options->table, &partitions, err))
        return false;
    int64_t count = partitions / PART_RECORDS;
    count = count < PARTS_MIN ? PARTS_MIN : count > PARTS_MAX ? PARTS_MAX : count;
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        int64_t low, high;
        job_walk_part(INT64_MIN, INT64_MAX, (uint32_t)count, i, &low, &high);
        load_add_part(l, low, high);
    }
    return true;
}

static bool divide_seq_nos(struct load *l, struct err *err)
{
    struct es_client *client = l->o->stores->elasticsearch;
    const struct es_page_options all = {.high = -1};
    int64_t highest, count;
    if (!source_index_highest_seq_no(client, &highest, err) ||
        !source_index_count(client, &all, &count, err))
        return false;
    const int64_t wanted = count / PART_RECORDS + 1;
    const int64_t parts = wanted < PARTS_MAX ? wanted : PARTS_MAX;
    const int64_t width = (highest + parts) / parts + (highest < parts);
    for (int64_t low = -1; low < highest; low += width)
        load_add_part(l, low, low + width < highest ? low + width : highest);
    return true;
}

/* Halves what holds too many; versions are no even sequence. */
static bool divide_versions(struct load *l, int64_t low, int64_t high, struct err *err)
{
    int64_t count;
    if (!source_index_count_versions(l->o->stores->elasticsearch, low + 1, high, &count, err))
        return false;
    if (count == 0)
        return true;
    if (count <= 2 * PART_RECORDS || high - low <= 1 || l->part_count >= PARTS_MAX) {
        load_add_part(l, low, high);
        return true;
    }
    const int64_t middle = low + (high - low) / 2;
    return divide_versions(l, low, middle, err) && divide_versions(l, middle, high, err);
}

bool load_count_left_out(struct load *l, struct err *err)
{
    struct es_client *client = l->o->stores->elasticsearch;
    const struct es_page_options all = {.high = -1};
    int64_t whole, found;
    if (l->o->from == CHANGE_CASSANDRA || es_client_version(client)->sequence_numbers)
        return true;
    if (!await_es_refresh(client, err) || !source_index_count(client, &all, &whole, err) ||
        !source_index_count_versions(client, 0, 0, &found, err))
        return false;
    l->report->left_out = whole > found ? whole - found : 0;
    if (l->report->left_out > 0)
        load_note(l, "%lld documents have no version and can't be found on this server",
                  (long long)l->report->left_out);
    return true;
}

bool load_divide(struct load *l, struct err *err)
{
    struct es_client *client = l->o->stores->elasticsearch;
    l->part_count = 0;
    if (l->o->from == CHANGE_CASSANDRA)
        return divide_tokens(l, err);
    if (!await_es_refresh(client, err)) /* what is counted must show */
        return false;
    if (es_client_version(client)->sequence_numbers)
        return divide_seq_nos(l, err);
    return divide_versions(l, 0, l->border.since - 1, err);
}
