#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* A scripted HTTP/1.1 server on loopback, on the test's own loop: it does what real servers won't
 * do on demand. Each request takes the next reply of the script; the last one repeats. */
struct http_server;

struct http_reply {
    int status;          /* 0: 200 */
    const char *body;    /* NULL: "{}" */
    const char *headers; /* lines that end with \r\n; may be NULL */
    const char *raw;     /* sent in place of all of the above */
    size_t split;        /* at most so many bytes in one piece; 0: all */
    bool stall;          /* nothing is sent */
    bool reset;          /* the connection is reset in place of an answer */
    bool close;          /* the connection ends behind what was sent */
    bool leave;          /* all connections end in place of an answer, and no more are taken */
};

struct http_seen {
    char *method, *path, *headers, *body; /* body and the others end with a NUL */
    size_t body_len;
    unsigned connection; /* numbered from 0 */
};

/* The script is borrowed. */
struct http_server *http_server_new(uv_loop_t *loop, const struct http_reply *script, size_t count);
/* "http://127.0.0.1:port", borrowed. */
const char *http_server_url(const struct http_server *server);
/* What was asked so far; borrowed until http_server_free. at must be below the count. */
size_t http_server_count(const struct http_server *server);
const struct http_seen *http_server_seen(const struct http_server *server, size_t at);
/* No more connections, all open ones end; run the loop, then free. */
void http_server_stop(struct http_server *server);
void http_server_free(struct http_server *server);

#endif
