#include "status/judge.h"

#include "status/words.h"

#include <stdio.h>

enum { SECOND = 1000000 };
enum {
    STILL_US = 10 * SECOND, /* snapshots are made every second */
    SILENT_US = 5 * SECOND, /* a request may take so long before that is worth a word */
    LONG_US = 30 * SECOND,  /* what passes within this is no illness */
    STUCK_INTERVALS = 3,
};

static const char *const state_names[] = {
#define STATUS_NAME(id, name, text) name,
    STATUS_STATES(STATUS_NAME)
#undef STATUS_NAME
};

const char *status_state_name(enum status_state state)
{
    return state_names[state];
}

const char *status_level_name(enum status_level level)
{
    static const char *const names[] = {"fine", "attention", "trouble"};
    return names[level];
}

bool status_stands_still(int64_t age_us)
{
    return age_us > STILL_US;
}

/* What is looked at, and the words that are being made of it. */
struct judging {
    const struct status_snapshot *s;
    const struct status_pipeline *p;
    int64_t age_us, now_us;
    struct status_verdict *out;
    struct buf words;
};

static void decide(struct judging *j, enum status_state state, enum status_level level)
{
    j->out->state = state;
    j->out->level = level;
}

static void say_since(struct judging *j, int64_t since_us)
{
    j->out->since_us = since_us;
    buf_append_str(&j->words, " since ");
    status_append_clock(&j->words, since_us, j->now_us);
}

static enum status_level level_since(const struct judging *j, int64_t since_us)
{
    return j->now_us - since_us >= LONG_US ? STATUS_TROUBLE : STATUS_ATTENTION;
}

/* Errors name their server first; it was just named. */
static const char *without_name(const char *failure)
{
    static const char name[] = "elasticsearch ";
    return strncmp(failure, name, sizeof name - 1) == 0 ? failure + sizeof name - 1 : failure;
}

/* Asks nothing of the servers: whatever else is known is old. */
static bool is_paused(struct judging *j)
{
    if (!j->p->paused_us)
        return false;
    decide(j, STATUS_PAUSED, STATUS_ATTENTION);
    buf_append_str(&j->words, "Paused");
    say_since(j, j->p->paused_us);
    buf_append_str(&j->words, ": nothing is copied until caes-sync resume");
    return true;
}

static bool waits(struct judging *j)
{
    for (size_t i = 0; i < ARRAY_LEN(j->p->servers); i++) {
        const struct status_server *server = &j->p->servers[i];
        const bool down = !server->up && j->p->failing_since_us;
        const int64_t since =
            server->failing_since_us ? server->failing_since_us : j->p->failing_since_us;
        if (!server->failing_since_us && !(down && i == METRIC_CASSANDRA))
            continue;
        decide(j, STATUS_WAITING, level_since(j, since));
        buf_printf(&j->words, "Waiting for %s", server->name);
        say_since(j, since);
        buf_printf(&j->words, ": %s",
                   without_name(server->failing_since_us ? server->failure : j->p->failure));
        return true;
    }
    return false;
}

static bool fails(struct judging *j)
{
    if (!j->p->failing_since_us || j->p->full)
        return false;
    decide(j, STATUS_FAILING, level_since(j, j->p->failing_since_us));
    buf_append_str(&j->words, "Failing");
    say_since(j, j->p->failing_since_us);
    buf_printf(&j->words, ", trying again: %s", j->p->failure);
    return true;
}

static bool is_silent(struct judging *j)
{
    for (size_t i = 0; i < ARRAY_LEN(j->p->servers); i++) {
        const struct status_server *server = &j->p->servers[i];
        const int64_t silent = server->silent_us ? server->silent_us + j->age_us : 0;
        if (silent < SILENT_US || silent > j->p->patience_us + LONG_US)
            continue;
        decide(j, STATUS_WAITING, silent >= LONG_US ? STATUS_TROUBLE : STATUS_ATTENTION);
        buf_printf(&j->words, "Waiting for %s, which has answered nothing for ", server->name);
        status_append_duration(&j->words, silent);
        j->out->since_us = j->now_us - silent;
        return true;
    }
    return false;
}

/* Servers that are asked have until their time-out; who asks nothing has no excuse. */
static int64_t patience(const struct status_pipeline *p)
{
    const bool asked = p->servers[0].silent_us || p->servers[1].silent_us;
    int64_t limit = STUCK_INTERVALS * p->interval_us;
    if (limit < LONG_US)
        limit = LONG_US;
    return asked ? limit + p->patience_us : limit;
}

static bool is_stuck(struct judging *j)
{
    const bool still = status_stands_still(j->age_us);
    const int64_t quiet = j->p->quiet_us + j->age_us;
    if (!still && (!j->p->active || quiet < patience(j->p)))
        return false;
    decide(j, STATUS_STUCK, STATUS_TROUBLE);
    if (still) {
        buf_append_str(&j->words, "Stuck: the daemon's loop has stood still for ");
        status_append_duration(&j->words, j->age_us);
    } else {
        buf_append_str(&j->words, "Stuck: no cycle was completed and no request acknowledged for ");
        status_append_duration(&j->words, quiet);
        buf_append_str(&j->words, ", although the servers answer");
    }
    j->out->since_us = j->now_us - (still ? j->age_us : quiet);
    return true;
}

static bool misses_changes(struct judging *j)
{
    if (!j->p->gap)
        return false;
    decide(j, STATUS_GAP, STATUS_TROUBLE);
    buf_append_str(&j->words, "Changes may be missing: the daemon was away for longer than entries "
                              "live (CassandraConfig.ttl); caes-sync repair closes the gap");
    return true;
}

static bool is_full(struct judging *j)
{
    if (!j->p->full)
        return false;
    decide(j, STATUS_PAUSED, STATUS_TROUBLE);
    buf_append_str(&j->words, "Nothing is copied: the dead letters are full (");
    status_append_count(&j->words, j->p->dead_letters);
    buf_append_str(&j->words, ", deadLetters.max); caes-sync dlq retry or purge makes room");
    return true;
}

static int64_t lag(const struct judging *j, size_t direction)
{
    return j->p->directions[direction].lag_us + j->age_us;
}

static bool lags(const struct judging *j)
{
    return lag(j, 0) >= j->p->ready_lag_us || lag(j, 1) >= j->p->ready_lag_us;
}

static bool is_busy(struct judging *j)
{
    const int64_t running = j->p->cycle_us < 0 ? 0 : j->p->cycle_us + j->age_us;
    if (!j->p->completed_here) {
        decide(j, STATUS_STARTING, lags(j) ? STATUS_ATTENTION : STATUS_FINE);
        buf_append_str(&j->words, "The first cycle is under way");
    } else if (lags(j)) {
        decide(j, STATUS_CATCHING_UP, STATUS_ATTENTION);
        buf_append_str(&j->words, "Catching up");
    } else {
        return false;
    }
    if (running > SILENT_US) {
        buf_append_str(&j->words, ", this cycle has been running for ");
        status_append_duration(&j->words, running);
    }
    return true;
}

static void is_in_sync(struct judging *j)
{
    const struct status_verify *verify = &j->p->verify;
    decide(j, STATUS_IN_SYNC, STATUS_FINE);
    buf_append_str(&j->words, "In sync");
    if (j->p->dead_letters > 0) {
        j->out->level = STATUS_ATTENTION;
        buf_append_str(&j->words, ", but for ");
        status_append_count(&j->words, j->p->dead_letters);
        buf_printf(&j->words, " change%s in the dead letters", j->p->dead_letters == 1 ? "" : "s");
    } else if (verify->at_us && (verify->failed || verify->differences > 0)) {
        j->out->level = STATUS_ATTENTION;
        buf_append_str(&j->words, verify->failed ? ", but the last verify failed"
                                                 : ", but the last verify found differences");
    }
}

static void choose_state(struct judging *j)
{
    if (status_stands_still(j->age_us) && is_stuck(j))
        return;
    if (!j->p->active) {
        decide(j, STATUS_RELOADING, STATUS_FINE);
        buf_append_str(&j->words, "Reading its configuration");
        return;
    }
    if (is_paused(j) || waits(j) || fails(j) || is_silent(j) || is_stuck(j) || misses_changes(j) ||
        is_full(j) || is_busy(j))
        return;
    is_in_sync(j);
}

static void object(struct buf *out, const char *text)
{
    buf_printf(out, "%s%s", out->len ? "; " : "", text);
}

static void find_absent(const struct judging *j, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(j->p->servers); i++) {
        const struct status_server *server = &j->p->servers[i];
        if (server->up)
            continue;
        object(out, server->name);
        buf_append_str(out, server->known ? " is down" : " has not answered yet");
        if (server->failing_since_us)
            buf_printf(out, " (%s)", server->failure);
    }
}

static void find_obstacles(const struct judging *j, struct buf *out)
{
    static const char *const names[] = {"Elasticsearch", "Cassandra"};
    if (j->p->paused_us)
        object(out, "paused");
    else
        find_absent(j, out);
    if (j->p->gap)
        object(out, "gap: changes may be missing");
    if (j->p->full)
        object(out, "the dead letters are full");
    if (j->out->state == STATUS_STUCK)
        object(out, "stuck");
    for (size_t i = 0; i < ARRAY_LEN(j->p->directions); i++) {
        if (lag(j, i) < j->p->ready_lag_us)
            continue;
        object(out, "the lag to ");
        buf_append_str(out, names[i]);
        buf_append_str(out, " is ");
        status_append_duration(out, lag(j, i));
        buf_append_str(out, ", http.readyLag ");
        status_append_duration(out, j->p->ready_lag_us);
    }
}

void status_judge(const struct status_snapshot *s, const struct status_pipeline *p, int64_t age_us,
                  struct status_verdict *out)
{
    struct judging j = {
        .s = s, .p = p, .age_us = age_us, .now_us = s->taken_us + age_us, .out = out};
    struct buf obstacles = {0};
    *out = (struct status_verdict){0};
    choose_state(&j);
    find_obstacles(&j, &obstacles);
    const bool brief = !p->failing_since_us || j.now_us - p->failing_since_us < LONG_US;
    out->healthy = brief && !p->gap && out->state != STATUS_STUCK;
    out->ready = obstacles.len == 0;
    snprintf(out->text, sizeof out->text, "%s", buf_cstr(&j.words));
    snprintf(out->obstacle, sizeof out->obstacle, "%s", buf_cstr(&obstacles));
    buf_free(&j.words);
    buf_free(&obstacles);
}

void status_judge_all(const struct status_snapshot *s, int64_t age_us, struct status_verdict *out)
{
    struct buf obstacles = {0}, named = {0};
    *out = (struct status_verdict){.state = STATUS_RELOADING, .healthy = true};
    for (size_t i = 0; i < s->count; i++) {
        struct status_verdict one;
        status_judge(s, &s->pipelines[i], age_us, &one);
        const bool healthy = out->healthy && one.healthy;
        if (one.obstacle[0])
            buf_printf(&obstacles, "%s%s: %s", obstacles.len ? "\n" : "", s->pipelines[i].name,
                       one.obstacle);
        if (i == 0 || one.level > out->level) {
            *out = one;
            if (s->count > 1) {
                buf_printf(&named, "%s: %s", s->pipelines[i].name, one.text);
                snprintf(out->text, sizeof out->text, "%s", buf_cstr(&named));
                buf_clear(&named);
            }
        }
        out->healthy = healthy;
    }
    out->ready = obstacles.len == 0;
    snprintf(out->obstacle, sizeof out->obstacle, "%s", buf_cstr(&obstacles));
    buf_free(&obstacles);
    buf_free(&named);
}
