#ifndef STATUS_LISTEN_H
#define STATUS_LISTEN_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>

/* Where the status page listens, as http.listen says it. */
struct status_listen {
    bool off;
    bool loopback; /* nobody beyond this machine can connect */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
};

/* "127.0.0.1:8686", "[::1]:8686", "localhost:8686", ":8686" (every address), "off". Names other
 * than localhost are not looked up. Errors: ERR_CONFIG. */
MUST_USE bool status_listen_parse(const char *text, struct status_listen *out, struct err *err);

#endif
