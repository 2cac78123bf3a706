#include "app/engine_internal.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

enum { REFRESH_MS = 2000 };

struct verifying {
    struct engine *e;
    struct job_verify *options;
    struct job_verify_report *report;
};

static bool verify_all(void *ctx, struct err *err)
{
    const struct verifying *v = ctx;
    struct engine *e = v->e;
    struct job_stores stores = {.loop = e->loop,
                                .cassandra = e->cassandra,
                                .elasticsearch = e->elasticsearch,
                                .options = &e->options};
    v->options->stores = &stores;
    const bool fine =
        job_stores_open(&stores, false, err) && job_verify(v->options, v->report, err);
    job_stores_close(&stores);
    return fine;
}

bool engine_verify(struct engine *e, struct job_verify *options, struct job_verify_report *report,
                   struct err *err)
{
    struct verifying v = {e, options, report};
    char *state = strdup(e->config->state);
    options->folder = dirname(state);
    options->lag_ms =
        (uint64_t)(2 * e->settings->interval + e->options.settle_us / 1000) + REFRESH_MS;
    options->stop = &e->stop;
    const bool fine = engine_block_on(e, verify_all, &v, err);
    free(state);
    return fine;
}
