#include "job/check_versions.h"

#include "base/mem.h"

#include <stdlib.h>

/* Times of our days: 2001-09-09 to 2100, in seconds. Below, Unix time has fewer than ten digits. */
enum { OUR_DAYS_FROM = 1000000000 };
static const int64_t our_days_to = 4102444800;

/* A counter is hardly higher, a time in seconds is never lower. */
enum { COUNTER_MAX = 1000000, ENOUGH = 20 };

static const struct {
    const char *name;
    int64_t us;
} units[] = {{"s", 1000000}, {"ms", 1000}, {"us", 1}};

static bool is_our_days(int64_t version, int64_t unit_us)
{
    const int64_t seconds = version / (1000000 / unit_us);
    return seconds >= OUR_DAYS_FROM && seconds < our_days_to;
}

static const char *unit_name(int64_t unit_us)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (units[i].us == unit_us)
            return units[i].name;
    return "none";
}

const char *check_guess_unit(const struct check_versions *sample)
{
    if (sample->count == 0)
        return NULL;
    for (size_t u = 0; u < ARRAY_LEN(units); u++) {
        size_t fitting = 0;
        for (size_t i = 0; i < sample->count; i++)
            fitting += is_our_days(sample->versions[i], units[u].us);
        if (fitting * 2 > sample->count)
            return units[u].name;
    }
    return "none";
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static size_t count_distinct(const struct check_versions *sample)
{
    int64_t *sorted = mem_array(sample->count + 1, sizeof *sorted);
    size_t distinct = 0;
    memcpy(sorted, sample->versions, sample->count * sizeof *sorted);
    qsort(sorted, sample->count, sizeof *sorted, by_value);
    for (size_t i = 0; i < sample->count; i++)
        distinct += i == 0 || sorted[i] != sorted[i - 1];
    free(sorted);
    return distinct;
}

static size_t count_below(const struct check_versions *sample, int64_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < sample->count; i++)
        count += sample->versions[i] < limit;
    return count;
}

static void judge_counters(struct check_findings *f, const char *where,
                           const struct check_versions *sample, bool times)
{
    static const char remedy[] = "give all records versions of one sequence, such as the time";
    const size_t small = count_below(sample, COUNTER_MAX);
    if (times && small > 0)
        check_add(
            f, CHECK_WARNING, where, remedy,
            "%zu of %zu %s have small versions, unlike the rest: they look counted per record, "
            "but versions are one sequence across the pipeline",
            small, sample->count, sample->things);
    else if (!times && sample->count >= ENOUGH && small == sample->count &&
             count_distinct(sample) * 4 <= sample->count)
        check_add(f, CHECK_WARNING, where, remedy,
                  "%zu %s share %zu small versions: they look counted per record, but versions are "
                  "one sequence across the pipeline",
                  sample->count, sample->things, count_distinct(sample));
}

static void judge_future(struct check_findings *f, const char *where,
                         const struct check_versions *sample)
{
    size_t count = 0;
    int64_t highest = 0;
    const int64_t limit = (sample->now_us + sample->skew_us) / sample->unit_us;
    for (size_t i = 0; i < sample->count; i++) {
        count += sample->versions[i] > limit;
        highest = sample->versions[i] > highest ? sample->versions[i] : highest;
    }
    if (count)
        check_add(f, CHECK_ERROR, where,
                  "mend the clock of the application that wrote them, or raise sync.maxFutureSkew",
                  "%zu of %zu %s have a version further in the future than sync.maxFutureSkew "
                  "(up to %lld): they become dead letters",
                  count, sample->count, sample->things, (long long)highest);
}

void check_judge_versions(struct check_findings *f, const char *where, const char *unit_option,
                          const struct check_versions *sample)
{
    const char *guess = check_guess_unit(sample);
    const char *unit = unit_name(sample->unit_us);
    if (!guess)
        return;
    const bool times = strcmp(guess, "none") != 0;
    if (strcmp(guess, unit) == 0) {
        judge_counters(f, where, sample, times);
        if (times)
            judge_future(f, where, sample);
    } else if (check_has(f, unit_option)) {
        return; /* entries and documents are of one unit: once is enough */
    } else if (sample->unit_us == 0) {
        check_add(f, CHECK_INFO, unit_option, check_text(f, "set it to %s", guess),
                  "is none, but versions of %s are times in %s: overlap would count time, and "
                  "versions in the future would be noticed",
                  sample->things, guess);
    } else if (times) {
        check_add(f, CHECK_ERROR, unit_option, check_text(f, "set it to %s", guess),
                  "is %s, but versions of %s look like %s (%lld)", unit, sample->things, guess,
                  (long long)sample->versions[0]);
    } else {
        check_add(f, CHECK_WARNING, unit_option,
                  "set it to none, or give records the time as version",
                  "is %s, but versions of %s are no such times (%lld)", unit, sample->things,
                  (long long)sample->versions[0]);
        judge_counters(f, where, sample, false);
    }
}

/* --- write times */

static bool is_version(const struct check_write *w, int64_t unit_us)
{
    /* The daemon's own copies are one microsecond off (the tie rule). */
    return w->version <= INT64_MAX / 2 / (unit_us ? unit_us : 1) &&
           llabs(w->write_time - w->version * unit_us) <= 1;
}

struct write_counts {
    size_t versions, clock, raw, future;
};

static struct write_counts count_writes(const struct check_writes *sample)
{
    struct write_counts counts = {0};
    for (size_t i = 0; i < sample->count; i++) {
        const struct check_write *w = &sample->writes[i];
        counts.versions += sample->unit_us > 0 && is_version(w, sample->unit_us);
        counts.clock += is_our_days(w->write_time, 1);
        counts.raw += sample->unit_us != 1 && w->write_time == w->version;
        counts.future += w->write_time > sample->now_us + sample->skew_us;
    }
    return counts;
}

static void judge_snapshot(struct check_findings *f, const char *where, const char *guard_option,
                           const struct check_writes *sample, const struct write_counts *counts)
{
    const size_t odd = sample->count - counts->clock;
    if (odd)
        check_add(
            f, CHECK_ERROR, where,
            sample->unit_us > 1
                ? "write without USING TIMESTAMP, or with the version in microseconds and guard: "
                  "timestamp"
                : "write without USING TIMESTAMP",
            "%zu of %zu rows have a write time that is no clock's%s (%lld): guard snapshot can't "
            "protect newer rows",
            odd, sample->count, counts->raw ? ", the version itself instead of microseconds" : "",
            (long long)sample->writes[0].write_time);
    else if (sample->unit_us > 1 && counts->versions == sample->count && sample->count >= 3)
        check_add(
            f, CHECK_INFO, guard_option, "set it to timestamp",
            "write times equal the versions: guard timestamp fits, too, and reads nothing before "
            "it writes");
}

void check_judge_writes(struct check_findings *f, const char *where, const char *guard_option,
                        const struct check_writes *sample)
{
    const struct write_counts counts = count_writes(sample);
    if (sample->count == 0)
        return;
    if (counts.future)
        check_add(
            f, CHECK_ERROR, where,
            "mend the clock of the application that wrote them; write the rows again later",
            "%zu of %zu rows have a write time further in the future than sync.maxFutureSkew: "
            "they win against every copy, which become dead letters",
            counts.future, sample->count);
    if (!sample->guard_timestamp)
        judge_snapshot(f, where, guard_option, sample, &counts);
    else if (counts.versions < sample->count)
        check_add(f, CHECK_ERROR, guard_option,
                  "let applications write USING TIMESTAMP version in microseconds, or take guard: "
                  "snapshot",
                  "is timestamp, but the write time of %zu of %zu rows is not their version in "
                  "microseconds: newer content would be lost",
                  sample->count - counts.versions, sample->count);
}

/* --- versions of documents */

void check_judge_stamps(struct check_findings *f, const char *where, const char *field,
                        const struct check_stamp *stamps, size_t count)
{
    size_t counted = 0, scaled = 0, others = 0;
    const struct check_stamp *example = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct check_stamp *s = &stamps[i];
        if (s->version == s->field)
            continue;
        if (!example)
            example = s;
        if (s->version < COUNTER_MAX)
            counted++;
        else if (s->version / 1000 == s->field || s->field / 1000 == s->version)
            scaled++;
        else
            others++;
    }
    if (!example)
        return;
    const size_t wrong = counted + scaled + others;
    const char *why =
        counted * 2 > wrong
            ? "Elasticsearch counted them itself: they were written without external versions"
        : scaled * 2 > wrong ? "they are of different units"
                             : "both must be the application's version";
    check_add(
        f, CHECK_ERROR, where,
        check_text(f, "write documents with version=V&version_type=external and the same V in %s",
                   field),
        "%zu of %zu documents have a _version that differs from %s (%.*s: %lld, %lld); %s", wrong,
        count, field, SLICE_ARG(example->id), (long long)example->version,
        (long long)example->field, why);
}
