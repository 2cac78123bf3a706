#include "base/clock.h"
#include "job/check_context.h"
#include "job/check_versions.h"

/* What the sampled entries and rows tell. */

enum { MANY = 10 };

static void judge_versions(struct check *check)
{
    const struct check_sample *sample = &check->sample;
    const struct check_versions versions = {
        .versions = sample->versions,
        .count = sample->version_count,
        .unit_us = check->tables->unit_us,
        .now_us = clock_wall_us(),
        .skew_us = check->pipeline->future_skew_us,
        .things = "entries",
    };
    check_judge_versions(check->findings, check->series.where,
                         check_option(check, "sync.versionUnit"), &versions);
    if (sample->version_count < sample->seen)
        check_add(check->findings, CHECK_ERROR, check->series.where,
                  "give entries versions above 0",
                  "%zu of %zu entries have a version of 0 or less: they become dead letters",
                  sample->seen - sample->version_count, sample->seen);
    if (sample->unusable)
        check_add(check->findings, CHECK_ERROR, check->series.where,
                  "let applications give such records another key",
                  "%zu of %zu entries have a key that can't be an _id: %s", sample->unusable,
                  sample->seen, sample->unusable_why);
}

static void judge_writes(struct check *check)
{
    const struct check_sample *sample = &check->sample;
    struct check_write *writes = arena_alloc(check->arena, (sample->count + 1) * sizeof *writes);
    size_t count = 0;
    for (size_t i = 0; i < sample->count; i++)
        if (!sample->rows[i].content.missing && sample->rows[i].write_time != CHANGE_NO_WRITE_TIME)
            writes[count++] =
                (struct check_write){sample->entries[i].version, sample->rows[i].write_time};
    const struct check_writes written = {
        .writes = writes,
        .count = count,
        .guard_timestamp = check->pipeline->guard == RESOLVE_GUARD_TIMESTAMP,
        .unit_us = check->tables->unit_us,
        .now_us = clock_wall_us(),
        .skew_us = check->pipeline->future_skew_us,
    };
    check_judge_writes(check->findings, check->data.where,
                       check_option(check, "CassandraConfig.guard"), &written);
}

static void judge_missing(struct check *check)
{
    const struct check_sample *sample = &check->sample;
    const bool skip = check->pipeline->skip_missing_rows;
    size_t missing = 0;
    for (size_t i = 0; i < sample->count; i++)
        missing += sample->rows[i].content.missing;
    const bool many = missing >= MANY && missing * 2 > sample->count;
    if (missing)
        check_add(
            check->findings, many ? CHECK_WARNING : CHECK_INFO, check->series.where,
            many ? "look whether applications write rows to this data table, in one batch with "
                   "their entry"
                 : "",
            "%zu of %zu records with entries have no row: %s", missing, sample->count,
            skip ? "they are skipped (missingRow)" : "that deletes their documents (missingRow)");
}

static void judge_ttl(struct check *check)
{
    const struct check_sample *sample = &check->sample;
    size_t endless = 0, shorter = 0;
    for (size_t i = 0; i < sample->count; i++) {
        const int64_t ttl = sample->entries[i].ttl;
        endless += ttl == 0;
        shorter += ttl > 0 && ttl * 1000000 <= check->pipeline->overlap_us;
    }
    if (shorter)
        check_add(check->findings, CHECK_ERROR, check->series.where,
                  "let applications write entries USING TTL longer than sync.overlap",
                  "%zu of %zu entries were written with a TTL below sync.overlap: they end before "
                  "they were looked at",
                  shorter, sample->count);
    if (endless)
        check_add(check->findings, CHECK_INFO, check->series.where,
                  "let applications write entries USING TTL",
                  "%zu of %zu entries never expire: the table grows for ever", endless,
                  sample->count);
}

void check_rows(struct check *check)
{
    if (check->sample.seen == 0)
        check_add(check->findings, CHECK_INFO, check->series.where, "check again when it has some",
                  "has no entries: whether rows fit the guard can't be told yet");
    judge_versions(check);
    judge_writes(check);
    judge_missing(check);
    judge_ttl(check);
}
