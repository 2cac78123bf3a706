#include "app/check_config.h"

#include "app/check_paths.h"
#include "app/option.h"

#include <string.h>

struct checking {
    const struct app_config *config;
    const struct config_pipeline *pipeline;
    struct check_findings *findings;
};

const char *check_config_place(const struct app_config *config,
                               const struct config_pipeline *pipeline, const char *option,
                               struct check_findings *findings)
{
    const unsigned line = app_config_line(config, pipeline, option);
    if (line)
        return check_text(findings, "configuration %s (line %u)", option, line);
    return check_text(findings, "configuration %s (default)", option);
}

static const char *place(const struct checking *c, const char *option)
{
    return check_config_place(c->config, c->pipeline, option, c->findings);
}

/* Durations as people write them. */
static const char *shown(const struct checking *c, int64_t ms)
{
    if (ms % 1000)
        return check_text(c->findings, "%lldms", (long long)ms);
    return check_text(c->findings, "%llds", (long long)(ms / 1000));
}

/* "FILE:LINE: key: what" as the parser says it. */
static void repeat_warnings(const struct checking *c)
{
    for (size_t i = 0; i < c->config->warnings.count; i++) {
        const char *text = c->config->warnings.items[i];
        const char *line = NULL, *key = NULL, *what = NULL;
        if (strncmp(text, c->config->file, strlen(c->config->file)) == 0) {
            line = text + strlen(c->config->file) + 1;
            key = strstr(line, ": ");
            what = key ? strstr(key + 2, ": ") : NULL;
        }
        if (what)
            check_add(c->findings, CHECK_WARNING,
                      check_text(c->findings, "configuration %.*s (line %.*s)",
                                 (int)(what - key) - 2, key + 2, (int)(key - line), line),
                      "remove it", "%s", what + 2);
        else
            check_add(c->findings, CHECK_WARNING, "configuration", "", "%s", text);
    }
}

static bool is_wall_clock(const struct checking *c)
{
    return c->pipeline->sync.unit != CONFIG_UNIT_NONE;
}

static int64_t overlap_ms(const struct checking *c)
{
    static const int64_t per_ms[] = {
        [CONFIG_UNIT_MS] = 1, [CONFIG_UNIT_US] = 1000, [CONFIG_UNIT_NONE] = 1};
    const int64_t overlap = c->pipeline->sync.overlap;
    return c->pipeline->sync.unit == CONFIG_UNIT_S ? overlap * 1000
                                                   : overlap / per_ms[c->pipeline->sync.unit];
}

static void judge_ttl(const struct checking *c)
{
    const int64_t ttl = c->pipeline->cassandra.ttl * 1000, interval = c->pipeline->interval;
    const int64_t settle = c->pipeline->sync.settle;
    if (ttl <= interval)
        check_add(c->findings, CHECK_ERROR, place(c, "CassandraConfig.ttl"),
                  "make it longer, an hour at least",
                  "is %s: entries end before the next cycle (interval %s) reads them",
                  shown(c, ttl), shown(c, interval));
    else if (is_wall_clock(c) && ttl < overlap_ms(c) + 3 * interval + settle)
        check_add(
            c->findings, CHECK_WARNING, place(c, "CassandraConfig.ttl"),
            "make it longer, an hour at least",
            "is %s, hardly more than sync.overlap and a few intervals of %s: a short pause of "
            "the daemon loses entries",
            shown(c, ttl), shown(c, interval));
}

static void judge_times(const struct checking *c)
{
    const struct config_pipeline *p = c->pipeline;
    if (is_wall_clock(c) && overlap_ms(c) <= p->sync.settle)
        check_add(c->findings, CHECK_ERROR, place(c, "sync.overlap"), "make it 60s",
                  "is %s, not more than sync.settle (%s): writes that show late are missed",
                  shown(c, overlap_ms(c)), shown(c, p->sync.settle));
    else if (is_wall_clock(c) && overlap_ms(c) < 3 * p->sync.settle)
        check_add(c->findings, CHECK_WARNING, place(c, "sync.overlap"), "make it 60s",
                  "is %s, little more than sync.settle (%s): a batch that shows late may be missed",
                  shown(c, overlap_ms(c)), shown(c, p->sync.settle));
    if (!is_wall_clock(c) && p->sync.overlap == 0)
        check_add(c->findings, CHECK_ERROR, place(c, "sync.overlap"),
                  "count how many versions a write may be late",
                  "is 0: a write that shows after one of a higher version is missed");
    if (p->sync.settle == 0)
        check_add(c->findings, CHECK_WARNING, place(c, "sync.settle"), "make it 2s",
                  "is 0: clocks differ and writes take time to show, so newer rows may be lost");
    if (p->cassandra.missing_row == CONFIG_MISSING_DELETE &&
        p->cassandra.delete_settle < p->sync.settle)
        check_add(c->findings, CHECK_WARNING, place(c, "CassandraConfig.deleteSettle"),
                  "make it 30s",
                  "is %s, less than sync.settle (%s): a row that is merely late counts as deleted",
                  shown(c, p->cassandra.delete_settle), shown(c, p->sync.settle));
}

static void judge_skew(const struct checking *c)
{
    enum { DAY_MS = 86400000 };
    const struct config_pipeline *p = c->pipeline;
    const int64_t skew = p->sync.max_future_skew;
    if (!is_wall_clock(c)) {
        if (app_config_line(c->config, p, "sync.maxFutureSkew"))
            check_add(c->findings, CHECK_INFO, place(c, "sync.maxFutureSkew"), "",
                      "has no effect on versions, which are no times (versionUnit none)");
    } else if (skew < p->sync.settle) {
        check_add(
            c->findings, CHECK_WARNING, place(c, "sync.maxFutureSkew"), "make it 5m",
            "is %s, less than sync.settle (%s): clocks that differ a little make dead letters",
            shown(c, skew), shown(c, p->sync.settle));
    } else if (skew > DAY_MS) {
        check_add(c->findings, CHECK_WARNING, place(c, "sync.maxFutureSkew"), "make it 5m",
                  "is %lld h: a record that a wrong clock dates ahead wins for so long",
                  (long long)(skew / 3600000));
    }
}

/* Behind the scheme, at the start of the host. */
static bool is_loopback(const char *host)
{
    static const char *const names[] = {"127.", "localhost", "[::1]", "::1"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncmp(host, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void judge_secrecy(const struct checking *c)
{
    const struct config_elasticsearch *es = &c->pipeline->es;
    const struct config_cassandra *cassandra = &c->pipeline->cassandra;
    for (size_t i = 0; (es->password || es->api_key) && i < es->hosts.count; i++) {
        const char *host = es->hosts.items[i];
        if (strncmp(host, "http://", 7) == 0 && !is_loopback(host + 7)) {
            check_add(c->findings, CHECK_WARNING, place(c, "ElasticSearchConfig.hosts"),
                      "take https://", "sends the login to %s unencrypted", host);
            break;
        }
    }
    if (!es->tls.verify)
        check_add(c->findings, CHECK_WARNING, place(c, "ElasticSearchConfig.tls.verify"),
                  "name the authority in tls.ca, and remove it",
                  "is false: anybody can pose as the server");
    if (cassandra->tls_enabled && !cassandra->tls.verify)
        check_add(c->findings, CHECK_WARNING, place(c, "CassandraConfig.tls.verify"),
                  "name the authority in tls.ca, and remove it",
                  "is false: anybody can pose as the server");
    const bool open = cassandra->password && !cassandra->tls_enabled;
    for (size_t i = 0; open && i < cassandra->contact_points.count; i++) {
        if (is_loopback(cassandra->contact_points.items[i]))
            continue;
        check_add(c->findings, CHECK_WARNING, place(c, "CassandraConfig.contactPoints"),
                  "encrypt it (CassandraConfig.tls), or let the connection be private",
                  "sends the login to %s unencrypted", cassandra->contact_points.items[i]);
        break;
    }
}

static void judge_http(const struct checking *c)
{
    if (c->pipeline->interval > c->config->http.ready_lag)
        check_add(c->findings, CHECK_WARNING, place(c, "interval"),
                  "make http.readyLag longer than the interval",
                  "is %s, longer than http.readyLag (%s): the daemon will count as not ready",
                  shown(c, c->pipeline->interval), shown(c, c->config->http.ready_lag));
    check_listen(c->findings, place(c, "http.listen"), c->config);
}

void check_config(const struct app_config *config, const struct config_pipeline *pipeline,
                  struct check_findings *findings)
{
    const struct checking c = {config, pipeline, findings};
    repeat_warnings(&c);
    judge_ttl(&c);
    judge_times(&c);
    judge_skew(&c);
    judge_secrecy(&c);
    check_path(findings, place(&c, "state"), config->state);
    check_path(findings, place(&c, "pidFile"), config->pid_file);
    judge_http(&c);
}
