#include "app/synced.h"

#include "app/progress.h"
#include "app/remote.h"

#include <stdio.h>
#include <unistd.h>

struct asking {
    struct job_synced *synced;
    struct json_doc *doc;
};

static void on_item(void *ctx, struct slice line)
{
    const struct asking *a = ctx;
    const struct json_node *item =
        json_parse(a->doc, line, false, NULL) ? json_member(json_root(a->doc), "item") : NULL;
    const struct json_node *key = item ? json_member(item, "key") : NULL;
    if (key)
        job_synced_add(a->synced, key->text);
}

static bool take_range(const struct asking *a, struct slice result, struct err *err)
{
    if (!json_parse(a->doc, result, false, err))
        return false;
    const struct json_node *root = json_root(a->doc), *stores = json_member(root, "stores");
    if (!stores)
        return err_set(err, ERR_PROTOCOL, "the daemon does not tell whose history it knows");
    a->synced->from = progress_number(root, "from");
    a->synced->to = progress_number(root, "to");
    snprintf(a->synced->stores, sizeof a->synced->stores, "%.*s", SLICE_ARG(stores->text));
    return true;
}

bool synced_ask(const struct command_line *line, struct job_synced *synced, struct err *err)
{
    struct session s = {0};
    struct buf result = {0};
    struct asking a = {.synced = synced, .doc = json_doc_new()};
    job_synced_open(synced);
    bool fine = session_open(&s, line, err);
    const struct config_pipeline *pipeline = fine ? session_pipeline(&s, err) : NULL;
    fine = pipeline != NULL;
    if (fine && access(pipeline->state, F_OK) == 0)
        fine = remote_run(&s, SLICE_LIT("{\"command\":\"synced\"}"), on_item, &a, &result, err) &&
               take_range(&a, buf_slice(&result), err);
    session_close(&s);
    json_doc_free(a.doc);
    buf_free(&result);
    return fine;
}
