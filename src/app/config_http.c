#include "app/config_check.h"

#include "status/listen.h"
#include "status/token.h"

/* Who may read what the daemon does is decided here, before anything listens. */

bool config_check_http(struct config_reader *r, const struct app_config *config,
                       const struct config_seen *seen, struct err *err)
{
    const struct config_node *listen = config_seen_at(seen, "http.listen");
    const struct config_node *token = config_seen_at(seen, "http.token");
    const struct config_node *place = listen ? listen : r->doc.root;
    struct status_listen address;
    struct err why = {0};
    if (!status_listen_parse(config->http.listen, &address, &why))
        return config_fail(&r->doc, place, NULL, err, "%s",
                           place->hidden ? "is no address; give 127.0.0.1:8686, or off" : why.text);
    if (config->http.token && !status_token_usable(config->http.token))
        return config_fail(&r->doc, token ? token : place, NULL, err,
                           "can't be sent in a header; use letters, digits and signs, no blanks");
    if (address.off || address.loopback || config->http.token || config->http.insecure)
        return true;
    return config_fail(&r->doc, place, NULL, err,
                       "others than this machine could read it; set http.token (or, where that is "
                       "meant, http.insecure: true)");
}
