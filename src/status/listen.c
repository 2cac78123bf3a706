#include "status/listen.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 64 };

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;
    const size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    const long number = strtol(text, &end, 10);
    *port = htons((uint16_t)number);
    return number > 0 && number <= 65535;
}

static bool is_v4_loopback(struct in_addr address)
{
    return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_v6_loopback(const struct in6_addr *address)
{
    struct in_addr mapped;
    memcpy(&mapped, address->s6_addr + 12, sizeof mapped);
    return IN6_IS_ADDR_LOOPBACK(address) ||
           (IN6_IS_ADDR_V4MAPPED(address) && is_v4_loopback(mapped));
}

static bool parse_v6(const char *host, in_port_t port, struct status_listen *out)
{
    out->address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    out->loopback = false;
    if (inet_pton(AF_INET6, host, &out->address.v6.sin6_addr) != 1)
        return false;
    out->loopback = is_v6_loopback(&out->address.v6.sin6_addr);
    return true;
}

static bool parse_v4(const char *host, in_port_t port, struct status_listen *out)
{
    if (host[0] == '\0' || strcmp(host, "*") == 0)
        host = "0.0.0.0";
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    out->address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    if (inet_pton(AF_INET, host, &out->address.v4.sin_addr) != 1)
        return false;
    out->loopback = is_v4_loopback(out->address.v4.sin_addr);
    return true;
}

bool status_listen_parse(const char *text, struct status_listen *out, struct err *err)
{
    char host[HOST_MAX] = "";
    in_port_t port = 0;
    const char *colon = strrchr(text, ':');
    const size_t len = colon ? (size_t)(colon - text) : 0;
    *out = (struct status_listen){.off = strcmp(text, "off") == 0};
    if (out->off)
        return true;
    bool fine = colon && len < sizeof host && parse_port(colon + 1, &port);
    if (fine)
        memcpy(host, text, len);
    if (fine && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        fine = parse_v6(host + 1, port, out);
    } else if (fine) {
        fine = parse_v4(host, port, out);
    }
    return fine || err_set(err, ERR_CONFIG,
                           "\"%.60s\" is no address to listen on; give 127.0.0.1:8686, [::1]:8686, "
                           ":8686 (every address), or off",
                           text);
}
