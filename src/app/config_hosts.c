#include "app/config_hosts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct host {
    const char *host;
    int64_t port; /* 0: the default */
    bool tls;
    const char *prefix;
    const char *username, *password;
};

static const char *keep(struct config_reader *r, const char *text, size_t len)
{
    return arena_copy(r->doc.arena, slice_of(text, len)).ptr;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *place = c ? strchr(digits, c | 0x20) : NULL;
    return place ? (int)(place - digits) : -1;
}

/* As it was before it was written into a URL. */
static const char *percent_decode(struct config_reader *r, const char *text, size_t len)
{
    char *copy = arena_alloc(r->doc.arena, len + 1);
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        int high = i + 2 < len && text[i] == '%' ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        bool coded = low >= 0 && high + low > 0;
        copy[out++] = coded ? (char)(high * 16 + low) : text[i];
        i += coded ? 2 : 0;
    }
    copy[out] = '\0';
    return copy;
}

static bool host_chars(const char *host, size_t len)
{
    if (len > 2 && host[0] == '[' && host[len - 1] == ']')
        return strspn(host + 1, "0123456789abcdefABCDEF:.") == len - 2;
    return len > 0 && len < 254 &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") >= len;
}

/* "host", "host:port", "[v6]:port" up to len. */
static bool split_port(const char *text, size_t len, size_t *host_len, int64_t *port)
{
    const char *colon = memrchr(text, ':', len);
    const char *bracket = memrchr(text, ']', len);
    *host_len = len;
    if (colon && (!bracket || colon > bracket)) {
        char digits[8] = {0};
        size_t count = len - (size_t)(colon - text) - 1;
        if (count == 0 || count >= sizeof digits)
            return false;
        memcpy(digits, colon + 1, count);
        *host_len = (size_t)(colon - text);
        if (digits[0] == '-' || !config_value_int(digits, port) || *port < 1 || *port > 65535)
            return false;
    }
    return host_chars(text, *host_len);
}

static bool bad_host(struct config_reader *r, const struct config_node *node, struct err *err)
{
    return config_fail(&r->doc, node, NULL, err,
                       "is no address of a server; write host, host:port or http(s)://host:port");
}

static bool parse_url(struct config_reader *r, const struct config_node *node, struct host *h,
                      struct err *err)
{
    const char *text;
    if (!config_value_text(r, node, &text, err))
        return false;
    const char *scheme_end = strstr(text, "://");
    if (scheme_end) {
        bool http = strncasecmp(text, "http://", 7) == 0;
        h->tls = strncasecmp(text, "https://", 8) == 0;
        if (!http && !h->tls)
            return bad_host(r, node, err);
        h->port = h->tls ? 443 : 0;
        text = scheme_end + 3;
    }
    size_t len = strcspn(text, "/?#");
    if (text[len] && text[len] != '/')
        return bad_host(r, node, err);
    const char *at_sign = memrchr(text, '@', len);
    if (at_sign) {
        size_t auth = (size_t)(at_sign - text);
        const char *colon = memchr(text, ':', auth);
        if (!colon)
            return config_fail(&r->doc, node, NULL, err,
                               "has a user without a password; write user:password@host");
        h->username = percent_decode(r, text, (size_t)(colon - text));
        h->password = percent_decode(r, colon + 1, (size_t)(at_sign - colon) - 1);
        text += auth + 1;
        len -= auth + 1;
    }
    size_t host_len;
    h->prefix = text + len;
    if (!split_port(text, len, &host_len, &h->port))
        return bad_host(r, node, err);
    h->host = keep(r, text, host_len);
    return true;
}

static bool parse_auth(struct config_reader *r, const struct config_node *node,
                       const char **username, const char **password, struct err *err)
{
    if (node->kind == CONFIG_LIST && node->count == 2)
        return config_value_text(r, node->items[0], username, err) &&
               config_value_text(r, node->items[1], password, err);
    const char *colon = node->kind == CONFIG_SCALAR ? strchr(node->text, ':') : NULL;
    if (!colon || colon == node->text)
        return config_fail(&r->doc, node, NULL, err,
                           "is no login; write user:password or [user, password]");
    *username = keep(r, node->text, (size_t)(colon - node->text));
    *password = colon + 1;
    return true;
}

static bool member_bool(struct config_reader *r, const struct config_node *node, bool *out,
                        struct err *err)
{
    if (node->kind == CONFIG_SCALAR && config_value_bool(node->text, out))
        return true;
    return config_fail(&r->doc, node, NULL, err, "is neither true nor false; write one of them");
}

static bool parse_member(struct config_reader *r, const struct config_node *node, struct host *h,
                         struct err *err)
{
    const char *text;
    if (strcmp(node->key, "http_auth") == 0)
        return parse_auth(r, node, &h->username, &h->password, err);
    if (strcmp(node->key, "use_ssl") == 0)
        return member_bool(r, node, &h->tls, err);
    if (!config_value_text(r, node, &text, err))
        return false;
    if (strcmp(node->key, "host") == 0) {
        bool v6 = strchr(text, ':') && text[0] != '[';
        const char *host = text;
        if (v6) {
            char *bracketed = arena_alloc(r->doc.arena, strlen(text) + 3);
            sprintf(bracketed, "[%s]", text);
            host = bracketed;
        }
        h->host = host;
        return host_chars(host, strlen(host)) || bad_host(r, node, err);
    }
    if (strcmp(node->key, "port") == 0)
        return (config_value_int(text, &h->port) && h->port > 0 && h->port < 65536) ||
               config_fail(&r->doc, node, NULL, err, "is no port; give 1 to 65535");
    if (strcmp(node->key, "scheme") == 0) {
        h->tls = strcasecmp(text, "https") == 0;
        return h->tls || strcasecmp(text, "http") == 0 ||
               config_fail(&r->doc, node, NULL, err, "is no scheme; give http or https");
    }
    if (strcmp(node->key, "url_prefix") == 0) {
        h->prefix = text;
        return true;
    }
    return config_fail(
        &r->doc, node, NULL, err,
        "unknown key; hosts have host, port, scheme, use_ssl, http_auth, url_prefix");
}

static bool parse_host(struct config_reader *r, const struct config_node *node, bool tls,
                       struct host *h, struct err *err)
{
    *h = (struct host){.host = "localhost", .prefix = "", .tls = tls};
    if (node->kind != CONFIG_MAP)
        return parse_url(r, node, h, err);
    for (size_t i = 0; i < node->count; i++)
        if (node->items[i]->kind != CONFIG_NULL && !parse_member(r, node->items[i], h, err))
            return false;
    return true;
}

static bool render_url(struct config_reader *r, const struct config_node *node,
                       const struct host *h, const char **out, struct err *err)
{
    const char *prefix = h->prefix + strspn(h->prefix, "/");
    size_t len = strlen(prefix);
    while (len && prefix[len - 1] == '/')
        len--;
    if (strcspn(prefix, "?# \t\n\\") < len)
        return bad_host(r, node, err);
    struct buf url = {0};
    buf_printf(&url, "%s://%s:%lld%s%.*s", h->tls ? "https" : "http", h->host,
               (long long)(h->port ? h->port : 9200), len ? "/" : "", (int)len, prefix);
    *out = arena_copy(r->doc.arena, buf_slice(&url)).ptr;
    buf_free(&url);
    return true;
}

static bool take_auth(struct config_reader *r, const struct config_node *node, const struct host *h,
                      struct config_elasticsearch *es, struct err *err)
{
    if (!h->username)
        return true;
    if (es->username &&
        (strcmp(es->username, h->username) != 0 || strcmp(es->password, h->password) != 0))
        return config_fail(&r->doc, node, NULL, err,
                           "hosts with different logins; give one username and password");
    es->username = h->username;
    es->password = h->password;
    return true;
}

bool config_hosts_read(struct config_reader *r, const struct config_node *node,
                       struct config_pipeline *pipeline, struct err *err)
{
    bool tls = false;
    const struct config_node *use_ssl = config_tree_get(node->parent, "use_ssl");
    if (use_ssl && !member_bool(r, use_ssl, &tls, err))
        return false;
    bool list = node->kind == CONFIG_LIST;
    size_t count = list ? node->count : 1;
    if (count == 0)
        return config_fail(&r->doc, node, NULL, err, "is empty; give at least one host");
    const char **urls = arena_zalloc(r->doc.arena, count * sizeof *urls);
    struct config_elasticsearch logins = {0};
    for (size_t i = 0; i < count; i++) {
        const struct config_node *one = list ? node->items[i] : node;
        struct host h;
        if (!parse_host(r, one, tls, &h, err) || !render_url(r, one, &h, &urls[i], err) ||
            !take_auth(r, one, &h, &logins, err))
            return false;
    }
    pipeline->es.hosts = (struct config_list){urls, count};
    pipeline->es.hosts_login = logins.username != NULL;
    if (logins.username) {
        pipeline->es.username = logins.username;
        pipeline->es.password = logins.password;
    }
    return true;
}

bool config_hosts_auth(struct config_reader *r, const struct config_node *node,
                       struct config_pipeline *pipeline, struct err *err)
{
    return parse_auth(r, node, &pipeline->es.username, &pipeline->es.password, err);
}

bool config_points_check(struct config_reader *r, const struct config_node *node,
                         const struct config_list *points, struct err *err)
{
    if (points->count == 0)
        return config_fail(&r->doc, node, NULL, err, "is empty; give at least one host");
    for (size_t i = 0; i < points->count; i++) {
        size_t host_len;
        int64_t port;
        if (!split_port(points->items[i], strlen(points->items[i]), &host_len, &port))
            return config_fail(&r->doc, node->kind == CONFIG_LIST ? node->items[i] : node, NULL,
                               err, "is no address of a server; write host or host:port");
    }
    return true;
}
