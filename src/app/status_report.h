#ifndef APP_STATUS_REPORT_H
#define APP_STATUS_REPORT_H

#include "base/attr.h"
#include "base/buf.h"

/* What `status` makes of the daemon's answer (status/json.h). */

/* Its members as lines "a.b: value" for people, without the history, which is for drawing; false:
 * it is no JSON object. */
MUST_USE bool status_report_text(struct slice json, struct buf *out);
/* Whether it says "healthy": true. */
bool status_report_healthy(struct slice json);

#endif
