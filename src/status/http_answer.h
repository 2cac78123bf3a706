#ifndef STATUS_HTTP_ANSWER_H
#define STATUS_HTTP_ANSWER_H

#include "base/buf.h"
#include "status/snapshot.h"

/* For http.c only: what is answered, without sockets. Renderings are kept for as long as they are
 * true, so that a crowd of readers costs no more than one. */
struct http_answers {
    const char *token; /* NULL: none; borrowed */
    struct buf policy; /* of the page, made when first wanted */
    struct buf readiness;
    struct {
        const struct status_snapshot *of;
        int64_t age_us;
        struct buf text;
    } kept[3];
};

struct http_answer {
    unsigned status;
    const char *type;
    const char *allow;  /* for 405, or NULL */
    const char *policy; /* Content-Security-Policy, or NULL */
    bool ask_login;     /* 401 */
    struct slice body;  /* borrowed until the next answer */
};

/* authorization: that header's value, or NULL. now_us: monotonic. */
void http_answer(struct http_answers *answers, const struct status_snapshot *snapshot,
                 const char *method, const char *path, const char *authorization, int64_t now_us,
                 struct http_answer *out);
/* Forgets what was kept of a snapshot that is about to go. */
void http_answers_forget(struct http_answers *answers);
void http_answers_free(struct http_answers *answers);

#endif
