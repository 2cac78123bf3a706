#ifndef APP_STATUS_REPORT_H
#define APP_STATUS_REPORT_H

#include "app/config.h"
#include "app/engine.h"
#include "base/buf.h"

/* What `status` tells: one JSON object. */
struct status_report {
    const struct app_config *config;
    int64_t started_us; /* wall clock */
    struct engine_status engine;
};

void status_report_json(const struct status_report *report, int64_t now_us, struct buf *out);
/* The members of a JSON object as lines "a.b: value" for people; false: it is none. */
MUST_USE bool status_report_text(struct slice json, struct buf *out);
/* Whether it says "healthy": true. */
bool status_report_healthy(struct slice json);
/* "name":{"copied":…}: the fixed fields of a direction. */
void status_report_counts(const char *name, const struct pipeline_counts *counts, struct buf *out);

#endif
