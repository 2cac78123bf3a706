#include "job/check_settings.h"

#include "job/check_context.h"
#include "source/await.h"

/* What Elasticsearch takes where an index sets nothing. */
enum { REFRESH_MS = 1000, GC_DELETES_MS = 60000 };

bool check_read_time(struct slice text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1}};
    size_t at = text.len && text.ptr[0] == '-';
    const bool negative = at == 1;
    int64_t value = 0;
    const size_t first = at;
    for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9' && value < INT32_MAX; at++)
        value = value * 10 + (text.ptr[at] - '0');
    if (at == first)
        return false;
    const struct slice unit = slice_of(text.ptr + at, text.len - at);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!slice_is(unit, units[i].unit))
            continue;
        *ms = (negative ? -value : value) * units[i].ms;
        return true;
    }
    return false;
}

static const struct json_node *setting(const struct check *check, const char *path)
{
    return json_path(json_path(check->index, "settings.index"), path);
}

static int64_t time_setting(const struct check *check, const char *path, int64_t fallback)
{
    const struct json_node *n = setting(check, path);
    int64_t ms;
    return n && check_read_time(n->text, &ms) ? ms : fallback;
}

static void judge_blocks(struct check *check)
{
    static const struct {
        const char *name;
        bool reads;
    } blocks[] = {{"read_only", false},
                  {"write", false},
                  {"read_only_allow_delete", false},
                  {"metadata", false},
                  {"read", true}};
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        char path[64] = "blocks.";
        strcat(path, blocks[i].name);
        const struct json_node *n = setting(check, path);
        if (!n || !slice_is(n->text, "true"))
            continue;
        check_add(check->findings, CHECK_ERROR, check->index_where,
                  check_text(check->findings, "PUT /%s/_settings {\"index.blocks.%s\": null}%s",
                             check->options->index, blocks[i].name,
                             i == 2 ? "; the server sets it when its disk is nearly full" : ""),
                  "index.blocks.%s is set: %s", blocks[i].name,
                  blocks[i].reads ? "documents can't be read" : "documents can't be written");
        if (blocks[i].reads)
            check->have &= ~(unsigned)CHECK_SEARCHABLE;
    }
}

static void judge_pipelines(struct check *check)
{
    static const char *const names[] = {"default_pipeline", "final_pipeline"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct json_node *n = setting(check, names[i]);
        if (n && !slice_is(n->text, "_none"))
            check_add(check->findings, CHECK_WARNING, check->index_where,
                      "let the pipeline leave mapped fields alone, or set it to _none",
                      "index.%s is \"%.*s\": what it alters in a copied document is taken for the "
                      "application's content of that version",
                      names[i], SLICE_ARG(n->text));
    }
}

static void judge_refresh(struct check *check)
{
    const int64_t ms = time_setting(check, "refresh_interval", REFRESH_MS);
    if (check->pipeline->refresh)
        return;
    const char *where = check_option(check, "ElasticSearchConfig.refresh");
    if (ms < 0)
        check_add(
            check->findings, CHECK_ERROR, where, "set refresh: true, or a refresh_interval",
            "refresh is off, and index.refresh_interval is %lld: changes of documents never show",
            (long long)ms);
    else if (ms * 1000 > check->pipeline->settle_us)
        check_add(
            check->findings, ms * 1000 > check->pipeline->overlap_us ? CHECK_ERROR : CHECK_WARNING,
            where, "set refresh: true, or sync.settle above index.refresh_interval",
            "refresh is off, and index.refresh_interval (%lld ms) is longer than sync.settle: "
            "changes of documents show too late",
            (long long)ms);
}

static void judge_deletes(struct check *check)
{
    const int64_t ms = time_setting(check, "gc_deletes", GC_DELETES_MS);
    if (ms >= 0 && ms * 1000 < check->pipeline->overlap_us)
        check_add(check->findings, CHECK_WARNING, check->index_where,
                  check_text(check->findings, "PUT /%s/_settings {\"index.gc_deletes\": \"%llds\"}",
                             check->options->index,
                             (long long)((check->pipeline->overlap_us + 999999) / 1000000)),
                  "index.gc_deletes (%lld ms) is shorter than sync.overlap: a late older write can "
                  "bring a deleted document back",
                  (long long)ms);
}

static void judge_mode(struct check *check)
{
    const struct json_node *mode = setting(check, "mode");
    const struct json_node *source = setting(check, "mapping.source.mode");
    if (mode && slice_is(mode->text, "time_series"))
        check_add(check->findings, CHECK_ERROR, check->index_where, "sync an ordinary index",
                  "is a time series index: the server makes the _id of its documents");
    else if ((mode && slice_is(mode->text, "logsdb")) ||
             (source && slice_is(source->text, "synthetic")))
        check_add(
            check->findings, CHECK_WARNING, check->index_where,
            "set index.mapping.source.mode to stored in a new index",
            "_source is synthetic: the server sorts arrays and rewrites values, which counts as "
            "other content");
}

/* The state needs a privilege that nothing else needs: without it nothing is said. */
static void judge_state(struct check *check)
{
    struct json_doc *doc = json_doc_new();
    struct buf text = {0};
    struct err err = {0};
    if (await_es_ask(check->elasticsearch,
                     "/_cluster/state/metadata/{index}?filter_path=metadata.indices.*.state", NULL,
                     doc, &text, &err)) {
        const struct json_node *indices = json_path(json_root(doc), "metadata.indices");
        const struct json_node *index = indices && indices->type == JSON_OBJECT && indices->children
                                            ? json_first(indices)
                                            : NULL;
        const struct json_node *state = json_member(index, "state");
        if (state && slice_is(state->text, "close")) {
            check_add(check->findings, CHECK_ERROR, check->index_where,
                      check_text(check->findings, "POST /%s/_open", check->options->index),
                      "is closed");
            check->have &= ~(unsigned)CHECK_SEARCHABLE;
        }
    } else if (err.code != ERR_AUTH) {
        check_failed(check, check->index_where, "looking at the state of the index", &err);
    }
    buf_free(&text);
    json_doc_free(doc);
}

void check_settings(struct check *check)
{
    judge_blocks(check);
    judge_pipelines(check);
    judge_refresh(check);
    judge_deletes(check);
    judge_mode(check);
    judge_state(check);
}
