#ifndef APP_CONFIG_CHECK_H
#define APP_CONFIG_CHECK_H

#include "app/config_value.h"

/* Rules between options that need no server. */

enum { CONFIG_OPTIONS_MAX = 160 };

/* Where each option of the table was given; NULL: it was not. */
struct config_seen {
    const struct config_node *at[CONFIG_OPTIONS_MAX];
};

/* The node of the option with this path, or NULL. */
const struct config_node *config_seen_at(const struct config_seen *seen, const char *path);

/* Also fills what follows from several options (sync.overlap). place: the map that holds the
 * pipeline, named where something is missing. */
MUST_USE bool config_check_pipeline(struct config_reader *r, struct config_pipeline *pipeline,
                                    const struct config_seen *seen, const struct config_node *place,
                                    struct err *err);
/* http.*: who may read what the daemon does (config_http.c). */
MUST_USE bool config_check_http(struct config_reader *r, const struct app_config *config,
                                const struct config_seen *seen, struct err *err);

#endif
