#include "app/engine_internal.h"

enum { REFRESH_MS = 2000 };

struct job_stores engine_stores(const struct engine *e)
{
    return (struct job_stores){.loop = e->loop,
                               .cassandra = e->cassandra,
                               .elasticsearch = e->elasticsearch,
                               .options = &e->options};
}

struct job_verify engine_verify_options(const struct engine *e, const struct job_stores *stores)
{
    return (struct job_verify){
        .stores = stores,
        .folder = e->config->state_folder,
        .low = INT64_MIN,
        .high = INT64_MAX,
        .lag_ms = (uint64_t)(2 * e->settings->interval + e->options.settle_us / 1000) + REFRESH_MS,
    };
}

struct verifying {
    struct engine *e;
    struct job_verify *options;
    struct job_verify_report *report;
};

static bool verify_all(void *ctx, struct err *err)
{
    const struct verifying *v = ctx;
    struct job_stores stores = engine_stores(v->e);
    const struct job_verify ours = engine_verify_options(v->e, &stores);
    v->options->stores = ours.stores;
    v->options->folder = ours.folder;
    v->options->lag_ms = ours.lag_ms;
    v->options->stop = &v->e->stop;
    bool fine = job_stores_open(&stores, false, err);
    if (fine) {
        v->options->crew = engine_crew(v->e, &stores, job_verify_hands(v->options));
        fine = job_verify(v->options, v->report, err);
        job_crew_free(v->options->crew);
    }
    job_stores_close(&stores);
    return fine;
}

bool engine_verify(struct engine *e, struct job_verify *options, struct job_verify_report *report,
                   struct err *err)
{
    struct verifying v = {e, options, report};
    return engine_block_on(e, verify_all, &v, err);
}
