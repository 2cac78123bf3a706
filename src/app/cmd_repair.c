#include "app/command.h"

#include "app/plain.h"
#include "app/progress.h"
#include "app/remote.h"
#include "app/size.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 1000, BATCH = 200, BATCH_BYTES = 200 << 10 };

/* What is shown and kept of the answers. */
struct view {
    bool json, dry_run;
    struct progress progress;
    struct json_doc *doc;
    struct buf keys; /* the first, as JSON, separated by commas */
    int64_t count;
    int64_t mended, unmended, equal, compared;
    bool compares;
    struct buf out;
};

static void words(const struct json_node *p, struct buf *out)
{
    plain_append_member(out, p, "phase");
    buf_append_str(out, ": ");
    progress_append_count(out, progress_number(p, "documents"));
    buf_append_str(out, " documents, ");
    progress_append_count(out, progress_number(p, "rows"));
    buf_printf(out, " rows, %.0f s", progress_real(p, "seconds"));
}

static void show_item(struct view *v, const struct json_node *item)
{
    const struct json_node *mended = json_member(item, "mended");
    const bool fine = mended && mended->type == JSON_TRUE;
    plain_append_member(&v->out, item, "key");
    buf_append_str(&v->out, "  ");
    plain_append_member(&v->out, item, "kind");
    buf_append_str(&v->out, v->dry_run && fine ? ": would " : ": ");
    plain_append_member(&v->out, item, "action");
    if (!fine) {
        buf_append_str(&v->out, ": NOT MENDED, ");
        plain_append_member(&v->out, item, "why");
    }
    buf_append_char(&v->out, '\n');
    (void)!fwrite(v->out.ptr, 1, v->out.len, stdout);
    buf_clear(&v->out);
}

static void on_line(void *ctx, struct slice line)
{
    struct view *v = ctx;
    const struct json_node *item =
        json_parse(v->doc, line, false, NULL) ? json_member(json_root(v->doc), "item") : NULL;
    if (!item) {
        progress_line(&v->progress, line);
        return;
    }
    if (!v->json) {
        show_item(v, item);
    } else if (v->count < KEYS_MAX) {
        if (v->keys.len)
            buf_append_char(&v->keys, ',');
        buf_append_slice(&v->keys, item->raw);
    }
    v->count++;
}

static bool take_result(struct view *v, struct slice result, struct err *err)
{
    if (!json_parse(v->doc, result, false, err))
        return false;
    const struct json_node *root = json_root(v->doc);
    v->mended += progress_number(root, "mended");
    v->unmended += progress_number(root, "unmended");
    v->equal += progress_number(root, "equal");
    v->compares = json_member(root, "compared") != NULL;
    v->compared += progress_number(root, "compared");
    return true;
}

/* Everything but the keys; no closing brace. */
static bool append_request(const struct command_line *line, struct buf *out, struct err *err)
{
    const char *policy = line->values[OPT_POLICY] ? line->values[OPT_POLICY] : "newest";
    const char *missing = line->values[OPT_MISSING] ? line->values[OPT_MISSING] : "copy";
    int64_t rate = 0, low = INT64_MIN, high = INT64_MAX;
    size_t memory = 64 << 20;
    if (strcmp(policy, "newest") != 0 && strcmp(policy, "elasticsearch") != 0 &&
        strcmp(policy, "cassandra") != 0)
        return err_set(err, ERR_CONFIG,
                       "--policy \"%.60s\": give newest, elasticsearch or cassandra", policy);
    if (strcmp(missing, "copy") != 0 && strcmp(missing, "delete") != 0)
        return err_set(err, ERR_CONFIG, "--missing \"%.60s\": give copy or delete", missing);
    if (!count_option(line->values[OPT_RATE], "--rate", &rate, err) ||
        !size_option(line->values[OPT_MEMORY], "--memory", &memory, err) ||
        !range_option(line->values[OPT_RANGE], &low, &high, err))
        return false;
    buf_printf(out,
               "{\"command\":\"repair\",\"policy\":\"%s\",\"missing\":\"%s\",\"dry_run\":%s,"
               "\"rate\":%lld,\"memory\":%zu,\"since\":%lld,\"low\":%lld,\"high\":%lld",
               policy, missing, line->values[OPT_DRY_RUN] ? "true" : "false", (long long)rate,
               memory, (long long)line->since, (long long)low, (long long)high);
    return true;
}

static bool ask(struct session *s, struct view *v, struct slice request, struct err *err)
{
    struct buf result = {0};
    const bool fine =
        remote_run(s, request, on_line, v, &result, err) && take_result(v, buf_slice(&result), err);
    buf_free(&result);
    return fine;
}

/* The records of the file, some hundred a request. */
static bool ask_keys(struct session *s, struct view *v, FILE *file, struct buf *request,
                     struct err *err)
{
    const size_t head = request->len;
    char *line = NULL;
    size_t room = 0;
    bool fine = true, more = true;
    while (fine && more) {
        request->len = head;
        buf_append_str(request, ",\"keys\":[");
        ssize_t len = 0;
        int count = 0;
        for (;
             count < BATCH && request->len < BATCH_BYTES && (len = getline(&line, &room, file)) > 0;
             count++) {
            if (count)
                buf_append_char(request, ',');
            buf_append(request, line, (size_t)len - (line[len - 1] == '\n'));
        }
        more = len > 0;
        buf_append_str(request, "]}");
        fine = count == 0 || ask(s, v, buf_slice(request), err);
    }
    free(line);
    return fine;
}

static bool run(struct session *s, const struct command_line *line, struct view *v, struct err *err)
{
    const char *path = line->values[OPT_KEYS];
    struct buf request = {0};
    bool fine = append_request(line, &request, err);
    if (fine && path) {
        FILE *file = fopen(path, "re");
        fine = file || err_set(err, ERR_CONFIG, "--keys %.200s: %s", path, strerror(errno));
        fine = fine && session_open(s, line, err) && ask_keys(s, v, file, &request, err);
        if (file)
            (void)fclose(file); /* it was only read */
    } else if (fine) {
        buf_append_char(&request, '}');
        fine = session_open(s, line, err) && ask(s, v, buf_slice(&request), err);
    }
    buf_free(&request);
    return fine;
}

static void report(const struct view *v, struct buf *out)
{
    if (v->json) {
        buf_printf(out, "{\"mended\":%lld,\"unmended\":%lld,\"equal\":%lld,\"dry_run\":%s",
                   (long long)v->mended, (long long)v->unmended, (long long)v->equal,
                   v->dry_run ? "true" : "false");
        if (v->compares)
            buf_printf(out, ",\"compared\":%lld", (long long)v->compared);
        buf_printf(out, ",\"keys\":[%.*s]}\n", SLICE_ARG(buf_slice(&v->keys)));
        return;
    }
    if (v->compares) {
        progress_append_count(out, v->compared);
        buf_append_str(out, " records compared; ");
    }
    buf_printf(out, "%lld %s, %lld not, %lld equal by themselves\n", (long long)v->mended,
               v->dry_run ? "would be mended" : "mended", (long long)v->unmended,
               (long long)v->equal);
}

enum exit_code cmd_repair(const struct command_line *line)
{
    struct session s = {0};
    struct err err = {0};
    struct view v = {.json = line->values[OPT_JSON] != NULL,
                     .dry_run = line->values[OPT_DRY_RUN] != NULL,
                     .doc = json_doc_new()};
    struct buf out = {0};
    progress_open(&v.progress, v.json, words);
    const bool fine = run(&s, line, &v, &err);
    session_close(&s);
    progress_close(&v.progress);
    if (fine)
        report(&v, &out);
    json_doc_free(v.doc);
    buf_free(&v.keys);
    buf_free(&v.out);
    command_print(&out);
    return !fine ? command_fail(&err) : v.unmended ? EXIT_FOUND : EXIT_DONE;
}
