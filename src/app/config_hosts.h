#ifndef APP_CONFIG_HOSTS_H
#define APP_CONFIG_HOSTS_H

#include "app/config_value.h"

/* Addresses of servers, in all the spellings of the two Python drivers. */

/* Fills es.hosts with URLs, and es.username and es.password where a host carries them. A sibling
 * use_ssl of the node decides the scheme of hosts without one. */
MUST_USE bool config_hosts_read(struct config_reader *r, const struct config_node *node,
                                struct config_pipeline *pipeline, struct err *err);
/* "user:password", or a list of the two. */
MUST_USE bool config_hosts_auth(struct config_reader *r, const struct config_node *node,
                                struct config_pipeline *pipeline, struct err *err);
/* Each a host or host:port, IPv6 in brackets. */
MUST_USE bool config_points_check(struct config_reader *r, const struct config_node *node,
                                  const struct config_list *points, struct err *err);

#endif
