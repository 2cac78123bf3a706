#include "app/engine_internal.h"
#include "base/clock.h"
#include "store/times.h"

/* What the daemon asks of itself: comparisons every so often, and a repair after a gap. */

enum { AGAIN_US = 60 * 1000000, SAID_MAX = 20 };

static void on_line(void *ctx, struct slice line)
{
    struct engine *e = ctx;
    struct json_doc *doc = json_doc_new();
    const struct json_node *item =
        json_parse(doc, line, false, NULL) ? json_member(json_root(doc), "item") : NULL;
    const struct json_node *mended = json_member(item, "mended");
    if (item && mended && mended->type == JSON_FALSE && e->verified.said++ < SAID_MAX)
        log_warning(e->log, "%s: can't be mended: %.*s", e->options.name, SLICE_ARG(item->raw));
    json_doc_free(doc);
}

static int64_t number(const struct json_node *result, const char *name)
{
    int64_t value = 0;
    const struct json_node *node = json_member(result, name);
    return node && json_int64(node, &value) ? value : 0;
}

static void take_result(struct engine_verified *v, struct slice text)
{
    struct json_doc *doc = json_doc_new();
    const struct json_node *result = json_parse(doc, text, false, NULL) ? json_root(doc) : NULL;
    v->compared = number(result, "compared");
    v->mended = number(result, "mended");
    v->differences = json_member(result, "mended")
                         ? number(result, "unmended")
                         : v->compared - number(result, "equal") - number(result, "still_changing");
    json_doc_free(doc);
}

bool engine_self_restore(struct engine *e, struct err *err)
{
    return store_time_read(e->store, pipeline_id(e->pipeline), STORE_COMPARED, &e->compared_us,
                           err);
}

/* verify.every counts from here, also after a restart. */
static void count_from(struct engine *e, int64_t us)
{
    struct err err = {0};
    e->compared_us = us;
    if (!store_time_write(e->store, pipeline_id(e->pipeline), STORE_COMPARED, us, &err))
        log_warning(e->log, "%s: can't note when the stores were compared: %s", e->options.name,
                    err.text);
}

static void on_ended(void *ctx, struct slice result, const struct err *err)
{
    struct engine *e = ctx;
    struct engine_verified *v = &e->verified;
    v->running = false;
    e->self = NULL;
    v->at_us = clock_wall_us();
    v->failure = err ? *err : (struct err){0};
    if (err) {
        log_warning(e->log, "%s: could not compare the stores: %s", e->options.name, err->text);
        return;
    }
    count_from(e, v->started_us);
    take_result(v, result);
    log_line(e->log, v->differences ? LOG_WARNING : LOG_INFO,
             "%s: compared %lld records of both stores: %lld mended, %lld differ", e->options.name,
             (long long)v->compared, (long long)v->mended, (long long)v->differences);
}

static void start(struct engine *e, const char *command, const char *policy)
{
    static const struct engine_client client = {on_line, on_ended};
    struct json_doc *doc = json_doc_new();
    struct buf request = {0};
    struct err err = {0};
    buf_printf(&request, "{\"command\":\"%s\",\"policy\":\"%s\",\"rate\":%lld}", command, policy,
               (long long)e->settings->verify.rate);
    e->verified.said = 0;
    e->verified.started_us = clock_wall_us();
    if (json_parse(doc, buf_slice(&request), false, &err))
        e->self = engine_job_start(e, json_root(doc), &client, e);
    e->verified.running = e->self != NULL;
    json_doc_free(doc);
    buf_free(&request);
}

void engine_self_check(struct engine *e, bool gap)
{
    static const char *const policies[] = {[CONFIG_REPAIR_NONE] = NULL,
                                           [CONFIG_REPAIR_NEWEST] = "newest",
                                           [CONFIG_REPAIR_ELASTICSEARCH] = "elasticsearch",
                                           [CONFIG_REPAIR_CASSANDRA] = "cassandra"};
    const struct engine_verified *v = &e->verified;
    const int64_t now = clock_wall_us();
    const int64_t every_us = e->settings->verify.every * 1000;
    if (v->running)
        return;
    if (gap && e->settings->sync.on_gap == CONFIG_GAP_REPAIR && now - v->started_us >= AGAIN_US) {
        log_info(e->log, "%s: compares and mends both stores because of the gap", e->options.name);
        start(e, "repair", "newest");
        return;
    }
    if (every_us > 0 && (e->compared_us == 0 || e->compared_us > now))
        count_from(e, now);
    if (every_us == 0 || now - e->compared_us < every_us || now - v->started_us < every_us)
        return;
    const char *policy = policies[e->settings->verify.repair];
    start(e, policy ? "repair" : "verify", policy ? policy : "newest");
}

void engine_close_gap(struct engine *e)
{
    if (e->settings->sync.on_gap != CONFIG_GAP_REPAIR)
        return;
    start(e, "repair", "newest");
    io_group_wait(&e->jobs_running);
}
