#include "job/explain.h"

#include "base/json.h"
#include "map/convert.h"
#include "map/schema.h"
#include "source/await.h"
#include "store/dead_letter.h"

static void append_elasticsearch(struct buf *out, const struct pipeline_explanation *e,
                                 struct slice source)
{
    if (e->document.version == 0) {
        buf_append_str(out, "null");
        return;
    }
    buf_printf(out, "{\"version\":%lld,", (long long)e->document.version);
    if (e->document.unreadable) {
        json_append_member(out, "unreadable", slice_str(e->document.unreadable));
        buf_append_char(out, ',');
    }
    buf_append_str(out, "\"source\":");
    if (source.len == 0)
        buf_append_str(out, "null");
    for (size_t i = 0; i < source.len; i++) { /* one line */
        if (source.ptr[i] != '\n' && source.ptr[i] != '\r')
            buf_append_char(out, source.ptr[i]);
    }
    buf_append_char(out, '}');
}

static void append_cassandra(struct buf *out, const struct pipeline_explanation *e)
{
    const struct change_row *row = &e->row;
    if (row->content.missing && e->facts.entry_version == 0) {
        buf_append_str(out, "null");
        return;
    }
    if (e->facts.entry_version)
        buf_printf(out, "{\"version\":%lld,\"row\":", (long long)e->facts.entry_version);
    else
        buf_append_str(out, "{\"version\":null,\"row\":");
    if (row->content.missing) {
        buf_append_str(out, "null,\"writetimes\":null}");
        return;
    }
    for (uint32_t i = 0; i < e->schema->column_count; i++) {
        buf_append_char(out, i ? ',' : '{');
        json_append_parsed(out, e->schema->columns[i].name);
        buf_append_char(out, ':');
        map_cell_show(&e->schema->columns[i], row->content.cells[i], out);
    }
    buf_append_str(out, e->schema->column_count ? "},\"writetimes\":{" : "{},\"writetimes\":{");
    const char *comma = "";
    for (uint32_t i = 0; row->write_times && i < e->schema->column_count; i++) {
        if (row->write_times[i] == CHANGE_NO_WRITE_TIME)
            continue;
        buf_append_str(out, comma);
        json_append_parsed(out, e->schema->columns[i].name);
        buf_printf(out, ":%lld", (long long)row->write_times[i]);
        comma = ",";
    }
    buf_append_str(out, "}}");
}

static void append_differences(struct buf *out, const struct pipeline_explanation *e)
{
    const struct slice *document = e->document.content.cells;
    const struct slice *row = e->row.content.cells;
    const char *comma = "";
    buf_append_str(out, "\"differences\":[");
    for (uint32_t i = 0; document && row && i < e->schema->column_count; i++) {
        const struct map_column *column = &e->schema->columns[i];
        if (!column->to_cassandra || !column->to_elasticsearch || slice_equal(document[i], row[i]))
            continue;
        buf_printf(out, "%s{", comma);
        json_append_member(out, "field", column->field);
        buf_append_str(out, ",\"elasticsearch\":");
        map_cell_show(column, document[i], out);
        buf_append_str(out, ",\"cassandra\":");
        map_cell_show(column, row[i], out);
        buf_append_char(out, '}');
        comma = ",";
    }
    buf_append_char(out, ']');
}

static bool append_letter(void *ctx, const struct store_dead_letter *letter)
{
    struct buf *out = ctx;
    buf_printf(out, "%s{\"version\":%lld,\"direction\":\"%s\",",
               out->ptr[out->len - 1] == '[' ? "" : ",", (long long)letter->version,
               letter->target == CHANGE_CASSANDRA ? "to_cassandra" : "to_elasticsearch");
    json_append_member(out, "reason", slice_str(letter->reason));
    buf_append_char(out, '}');
    return true;
}

static const char *decision_text(const struct resolve_decision *d)
{
    switch (d->action) {
    case RESOLVE_NOTHING:
        return "nothing";
    case RESOLVE_TO_CASSANDRA:
        return d->delete ? "delete in Cassandra" : "copy to Cassandra";
    case RESOLVE_TO_ELASTICSEARCH:
        return d->delete ? "delete in Elasticsearch" : "copy to Elasticsearch";
    case RESOLVE_PUT_OFF:
    case RESOLVE_WAIT:
        return "wait";
    case RESOLVE_DEAD:
        return "dead letter";
    }
    return "nothing";
}

static bool append_all(const struct job_explain *o, struct slice key,
                       const struct pipeline_explanation *e, struct slice source, struct buf *out,
                       struct err *err)
{
    char rule[RESOLVE_RULE_NAME_MAX];
    buf_append_char(out, '{');
    json_append_member(out, "key", key);
    buf_append_str(out, ",\"elasticsearch\":");
    append_elasticsearch(out, e, source);
    buf_append_str(out, ",\"cassandra\":");
    append_cassandra(out, e);
    buf_append_char(out, ',');
    append_differences(out, e);
    buf_append_str(out, ",\"dead_letters\":[");
    if (!store_dead_of_key(o->store, pipeline_id(o->pipeline), key, append_letter, out, err))
        return false;
    resolve_rule_name(e->decision.rule, rule);
    buf_printf(out, "],\"decision\":\"%s\",\"rule\":\"%s\",", decision_text(&e->decision), rule);
    json_append_member(out, "why", slice_str(resolve_rule_text(e->decision.rule)));
    buf_append_char(out, '}');
    return true;
}

bool job_explain(const struct job_explain *o, struct slice key, struct buf *result, struct err *err)
{
    struct arena arena = {0};
    struct buf source = {0};
    struct pipeline_explanation explanation;
    int64_t version = 0;
    io_lock_take(o->lock);
    const bool fine = pipeline_explain(o->pipeline, key, &explanation, &arena, err) &&
                      await_es_document(o->elasticsearch, key, &version, &source, err) &&
                      append_all(o, key, &explanation, buf_slice(&source), result, err);
    io_lock_give(o->lock);
    if (!fine && err->code == ERR_VALUE)
        err->code = ERR_CONFIG; /* not the record, the question is wrong */
    buf_free(&source);
    arena_free(&arena);
    return fine;
}
