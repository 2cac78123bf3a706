#ifndef STATUS_METRICS_H
#define STATUS_METRICS_H

#include "base/buf.h"
#include "status/snapshot.h"

/* The snapshot in Prometheus' text format, version 0.0.4. age_us as for status_judge. */
void status_metrics(const struct status_snapshot *snapshot, int64_t age_us, struct buf *out);

/* What people read about metrics, made from their table: `help metrics`, and docs/METRICS.md. */
void status_metrics_help(struct buf *out);
void status_metrics_markdown(struct buf *out);

#endif
