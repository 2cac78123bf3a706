#ifndef STATUS_JSON_H
#define STATUS_JSON_H

#include "base/buf.h"
#include "status/snapshot.h"

/* The snapshot as one JSON object on one line: /status.json and `status --json`. Its members are
 * described in docs/operations.md. age_us as for status_judge. */
void status_json(const struct status_snapshot *snapshot, int64_t age_us, struct buf *out);
/* "name":{"copied":…}: the counts of a direction. */
void status_json_counts(const char *name, const struct pipeline_counts *counts, struct buf *out);

#endif
