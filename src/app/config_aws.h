#ifndef APP_CONFIG_AWS_H
#define APP_CONFIG_AWS_H

#include "app/config_check.h"

/* Completes pipeline->es.aws where a key of that section was given: credentials from the
 * configuration, else from credentialsFile, else from the environment; the region from the
 * environment. Without the section nothing of it is set. Errors: ERR_CONFIG naming the key. */
MUST_USE bool config_aws_complete(struct config_reader *r, struct config_pipeline *pipeline,
                                  const struct config_seen *seen, struct err *err);

#endif
