#ifndef APP_CONFIG_TLS_H
#define APP_CONFIG_TLS_H

#include "app/config.h"

/* Whether the certificates and keys that the configuration names for a pipeline (NULL: for all) can
 * be used as they are now. Errors: ERR_CONFIG, "FILE:LINE: key: …". */
MUST_USE bool config_tls_check(const struct app_config *config,
                               const struct config_pipeline *pipeline, struct err *err);

#endif
