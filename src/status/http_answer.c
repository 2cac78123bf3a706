#include "status/http_answer.h"

#include "status/json.h"
#include "status/judge.h"
#include "status/metrics.h"
#include "status/page.h"
#include "status/token.h"

#include <string.h>

enum { KEEP_US = 1000000 };

enum { PAGE, JSON, METRICS };
static const struct {
    const char *path, *type;
    void (*render)(const struct status_snapshot *snapshot, int64_t age_us, struct buf *out);
} documents[] = {
    [PAGE] = {"/", "text/html; charset=utf-8", status_page},
    [JSON] = {"/status.json", "application/json", status_json},
    [METRICS] = {"/metrics", "text/plain; version=0.0.4; charset=utf-8", status_metrics},
};

static const char plain[] = "text/plain; charset=utf-8";

static void say(struct http_answer *out, unsigned status, struct slice body)
{
    out->status = status;
    out->type = plain;
    out->body = body;
}

static void say_document(struct http_answers *a, const struct status_snapshot *s, size_t which,
                         int64_t age_us, struct http_answer *out)
{
    struct buf *text = &a->kept[which].text;
    const int64_t before_us = a->kept[which].age_us;
    if (a->kept[which].of != s || age_us < before_us || age_us - before_us > KEEP_US) {
        buf_clear(text);
        documents[which].render(s, age_us, text);
        a->kept[which].of = s;
        a->kept[which].age_us = age_us;
    }
    say(out, 200, buf_slice(text));
    out->type = documents[which].type;
    if (which != PAGE)
        return;
    if (a->policy.len == 0)
        status_page_policy(&a->policy);
    out->policy = buf_cstr(&a->policy);
}

static void say_health(int64_t age_us, struct http_answer *out)
{
    if (status_stands_still(age_us))
        say(out, 503, SLICE_LIT("the daemon's loop stands still\n"));
    else
        say(out, 200, SLICE_LIT("ok\n"));
}

static void say_readiness(const struct status_snapshot *s, int64_t age_us, struct buf *text,
                          struct http_answer *out)
{
    struct status_verdict v;
    status_judge_all(s, age_us, &v);
    buf_clear(text);
    buf_printf(text, "%s\n", v.ready ? "ready" : v.obstacle);
    say(out, v.ready ? 200 : 503, buf_slice(text));
}

void http_answer(struct http_answers *a, const struct status_snapshot *s, const char *method,
                 const char *path, const char *authorization, int64_t now_us,
                 struct http_answer *out)
{
    const int64_t age_us = now_us > s->taken_mono_us ? now_us - s->taken_mono_us : 0;
    *out = (struct http_answer){0};
    if (a->token && !status_token_fits(authorization, a->token)) {
        say(out, 401, SLICE_LIT("http.token is needed: as a bearer token, or as a password\n"));
        out->ask_login = true;
        return;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        say(out, 405, SLICE_LIT("there is nothing to change here: GET\n"));
        out->allow = "GET, HEAD";
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        if (strcmp(path, documents[i].path) == 0) {
            say_document(a, s, i, age_us, out);
            return;
        }
    }
    if (strcmp(path, "/healthz") == 0)
        say_health(age_us, out);
    else if (strcmp(path, "/readyz") == 0)
        say_readiness(s, age_us, &a->readiness, out);
    else
        say(out, 404, SLICE_LIT("here are: / /status.json /metrics /healthz /readyz\n"));
}

void http_answers_forget(struct http_answers *a)
{
    for (size_t i = 0; i < ARRAY_LEN(a->kept); i++)
        a->kept[i].of = NULL;
}

void http_answers_free(struct http_answers *a)
{
    for (size_t i = 0; i < ARRAY_LEN(a->kept); i++)
        buf_free(&a->kept[i].text);
    buf_free(&a->policy);
    buf_free(&a->readiness);
}
