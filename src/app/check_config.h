#ifndef APP_CHECK_CONFIG_H
#define APP_CHECK_CONFIG_H

#include "app/config.h"
#include "job/check_finding.h"

/* What `check` says of a configuration that is valid but will not do what somebody expects. No
 * server is asked. */
void check_config(const struct app_config *config, const struct config_pipeline *pipeline,
                  struct check_findings *findings);

/* "configuration sync.overlap (line 7)", or "(default)"; lives as long as the findings. */
const char *check_config_place(const struct app_config *config,
                               const struct config_pipeline *pipeline, const char *option,
                               struct check_findings *findings);

#endif
