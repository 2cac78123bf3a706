#ifndef APP_CHECK_PATHS_H
#define APP_CHECK_PATHS_H

#include "app/config.h"
#include "job/check_finding.h"

/* Whether the daemon will be able to use what the configuration names on this machine; nothing is
 * made or changed. where: the option. */

/* A file that it writes, and whose folder it makes when it is not there. */
void check_path(struct check_findings *findings, const char *where, const char *path);
/* http.listen: whether it can be listened on, by whom it can be reached. A port that a running
 * daemon of this configuration holds is fine. */
void check_listen(struct check_findings *findings, const char *where,
                  const struct app_config *config);

#endif
