#include "io/http_url.h"

#include "base/mem.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static char *part(CURLU *url, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(url, what, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = mem_strdup(text);
    curl_free(text);
    return copy;
}

/* Only the reason: text itself may hold a password. */
static bool parse(CURLU *url, const char *text, const char *default_port, struct err *err)
{
    struct buf full = {0};
    if (!strstr(text, "://"))
        buf_append_str(&full, "http://");
    buf_append_str(&full, text);
    const CURLUcode rc = curl_url_set(url, CURLUPART_URL, buf_cstr(&full), 0);
    explicit_bzero(full.ptr, full.len);
    buf_free(&full);
    if (rc != CURLUE_OK)
        return err_set(err, ERR_CONFIG, "not an address of a server: %s", curl_url_strerror(rc));
    char *scheme = part(url, CURLUPART_SCHEME, 0);
    const bool known = scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    free(scheme);
    if (!known)
        return err_set(err, ERR_CONFIG, "the address must begin with http:// or https://");
    char *port = part(url, CURLUPART_PORT, 0);
    if (!port)
        curl_url_set(url, CURLUPART_PORT, default_port, 0);
    free(port);
    return true;
}

bool io_http_origin_parse(const char *text, const char *default_port, struct io_http_origin *origin,
                          struct err *err)
{
    *origin = (struct io_http_origin){0};
    CURLU *url = curl_url();
    if (!url)
        return err_set(err, ERR_INTERNAL, "curl can't be set up");
    if (!parse(url, text, default_port, err)) {
        curl_url_cleanup(url);
        return false;
    }
    origin->username = part(url, CURLUPART_USER, CURLU_URLDECODE);
    origin->password = part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    origin->url = part(url, CURLUPART_URL, 0);
    curl_url_cleanup(url);
    if (!origin->url) {
        io_http_origin_free(origin);
        return err_set(err, ERR_CONFIG, "not an address of a server");
    }
    for (size_t len = strlen(origin->url); len > 0 && origin->url[len - 1] == '/'; len--)
        origin->url[len - 1] = '\0';
    return true;
}

void io_http_origin_free(struct io_http_origin *origin)
{
    if (origin->password)
        explicit_bzero(origin->password, strlen(origin->password));
    free(origin->url);
    free(origin->username);
    free(origin->password);
    *origin = (struct io_http_origin){0};
}

void io_http_escape(struct buf *out, struct slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c)) && c != '\0') {
            buf_append_char(out, (char)c);
        } else {
            const char escaped[] = {'%', hex[c >> 4], hex[c & 15]};
            buf_append(out, escaped, sizeof escaped);
        }
    }
}
