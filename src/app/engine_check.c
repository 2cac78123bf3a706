#include "app/check_config.h"
#include "app/engine_internal.h"
#include "job/check.h"

struct checking {
    struct engine *e;
    struct check_findings *findings;
};

static const char *joined(struct check_findings *findings, const struct config_list *list)
{
    struct buf text = {0};
    for (size_t i = 0; i < list->count; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
    const char *kept = check_text(findings, "%s", buf_cstr(&text));
    buf_free(&text);
    return kept;
}

static const char *place(void *ctx, const char *option, struct check_findings *findings)
{
    const struct engine *e = ctx;
    return check_config_place(e->config, e->settings, option, findings);
}

static bool check_all(void *ctx, struct err *err)
{
    const struct checking *c = ctx;
    struct engine *e = c->e;
    const struct config_pipeline *s = e->settings;
    const struct job_check_options options = {
        .pipeline = &e->options,
        .index = s->es.index,
        .type = s->es.type,
        .cassandra_address = joined(c->findings, &s->cassandra.contact_points),
        .elasticsearch_address = joined(c->findings, &s->es.hosts),
        .local_datacenter = s->cassandra.local_datacenter,
        .elasticsearch_login = s->es.username || s->es.api_key || s->es.tls.cert,
        .place = place,
        .place_ctx = e,
    };
    return job_check(e->cassandra, e->elasticsearch, &options, c->findings, err);
}

bool engine_check(struct engine *e, struct check_findings *findings, struct err *err)
{
    struct checking c = {e, findings};
    check_config(e->config, e->settings, findings);
    return engine_block_on(e, check_all, &c, err);
}
