#ifndef STATUS_PAGE_H
#define STATUS_PAGE_H

#include "base/buf.h"
#include "status/snapshot.h"

/* The status page: one HTML document without external parts. age_us as for status_judge. */
void status_page(const struct status_snapshot *snapshot, int64_t age_us, struct buf *out);
/* The Content-Security-Policy that lets this page's own style and script through, and no other. */
void status_page_policy(struct buf *out);

/* What its template is filled with, as JSON (page_model.c). */
void status_page_model(const struct status_snapshot *snapshot, int64_t age_us, struct buf *out);

#endif
