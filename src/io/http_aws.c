#include "io/http_aws.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL has a type of this name. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/sha.h>
#undef ERR_STATE

/* What is encoded already stays. */
static void append_encoded(struct buf *out, struct slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80 && c != '\0' && (isalnum(c) || strchr("-._~%=", c))) {
            buf_append_char(out, (char)c);
        } else {
            const char escaped[] = {'%', hex[c >> 4], hex[c & 15]};
            buf_append(out, escaped, sizeof escaped);
        }
    }
    if (!memchr(text.ptr, '=', text.len))
        buf_append_char(out, '=');
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *encoded(struct slice part)
{
    struct buf text = {0};
    append_encoded(&text, part);
    char *copy = mem_strdup(buf_cstr(&text));
    buf_free(&text);
    return copy;
}

static void append_sorted(struct buf *out, const char *query)
{
    size_t count = 0;
    char **parts = mem_array(strlen(query) + 1, sizeof *parts);
    while (*query) {
        const size_t len = strcspn(query, "&");
        if (len > 0)
            parts[count++] = encoded(slice_of(query, len));
        query += len + (query[len] == '&');
    }
    qsort(parts, count, sizeof *parts, compare);
    for (size_t i = 0; i < count; i++) {
        buf_append_char(out, i == 0 ? '?' : '&');
        buf_append_str(out, parts[i]);
        free(parts[i]);
    }
    free(parts);
}

void io_http_aws_url(const char *url, struct buf *out)
{
    const size_t path = strcspn(url, "?");
    buf_append(out, url, path);
    if (url[path])
        append_sorted(out, url + path + 1);
}

static void add_hash(struct io_http_call *call)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)(call->body.ptr ? call->body.ptr : ""), call->body.len, digest);
    struct buf line = {0};
    buf_append_str(&line, "x-amz-content-sha256: ");
    for (size_t i = 0; i < sizeof digest; i++)
        buf_printf(&line, "%02x", digest[i]);
    call->headers = curl_slist_append(call->headers, buf_cstr(&line));
    buf_free(&line);
}

static void add_token(struct io_http_call *call, const char *token)
{
    struct buf line = {0};
    buf_printf(&line, "x-amz-security-token: %s", token);
    call->headers = curl_slist_append(call->headers, buf_cstr(&line));
    explicit_bzero(line.ptr, line.len);
    buf_free(&line);
}

void io_http_aws_sign(struct io_http_call *call, const struct io_http_aws *aws)
{
    struct buf scope = {0};
    buf_printf(&scope, "aws:amz:%s:%s", aws->region, aws->service);
    curl_easy_setopt(call->easy, CURLOPT_AWS_SIGV4, buf_cstr(&scope));
    buf_free(&scope);
    curl_easy_setopt(call->easy, CURLOPT_USERNAME, aws->access_key);
    curl_easy_setopt(call->easy, CURLOPT_PASSWORD, aws->secret_key);
    add_hash(call);
    if (aws->session_token)
        add_token(call, aws->session_token);
}
