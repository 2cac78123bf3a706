#ifndef APP_CONFIG_TLS_H
#define APP_CONFIG_TLS_H

#include "app/config.h"

/* Whether the certificates and keys that the configuration names can be used as they are now.
 * Errors: ERR_CONFIG, "FILE:LINE: key: …". */
MUST_USE bool config_tls_check(const struct app_config *config, struct err *err);

#endif
