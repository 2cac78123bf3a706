#include "base/clock.h"
#include "job/check_context.h"
#include "job/check_fit.h"
#include "job/check_versions.h"
#include "map/convert.h"
#include "source/await.h"

/* Real documents: the newest by their version field. */

enum { STAMPS_MAX = 1000, CONTENTS_MAX = 100 };

struct stamps {
    struct check *check;
    struct check_stamp *list;
    size_t count;
    size_t seen, odd_ids;
    const char *odd_why;
};

static const char *version_field(const struct check *check)
{
    return es_client_version(check->elasticsearch)->meta_timestamp
               ? "_timestamp"
               : check->pipeline->timestamp_field.ptr;
}

/* What a sort value of the version field is for one version: dates are sorted by milliseconds. */
static int64_t sorted_unit(const struct check *check)
{
    static const char *const seconds[] = {"epoch_second"}, *const millis[] = {"epoch_millis"};
    const struct json_node *properties = json_member(check->mapping, "properties");
    const struct json_node *field = json_member(properties, version_field(check));
    const struct json_node *format = json_member(field, "format");
    const bool date = field && slice_is(check_field_type(field), "date");
    return date && format && check_format_has(format, seconds, 1) &&
                   !check_format_has(format, millis, 1)
               ? 1000
               : 1;
}

static bool search(struct check *check, struct buf *body, struct json_doc *doc, struct buf *text)
{
    struct err err = {0};
    if (await_es_ask(check->elasticsearch, "/{documents}/_search", body, doc, text, &err))
        return true;
    check_failed(check, check->index_where, "reading documents", &err);
    return false;
}

static void append_search(struct check *check, struct buf *body, int size, bool source)
{
    buf_printf(body, "{\"size\":%d,\"version\":true,\"_source\":%s,\"sort\":[{", size,
               source ? "true" : "false");
    if (!json_append_string(body, slice_str(version_field(check))))
        buf_append_str(body, "\"\"");
    buf_append_str(body, ":{\"order\":\"desc\",\"unmapped_type\":\"long\"}}]}");
}

/* --- versions and ids */

static void judge_id(struct stamps *stamps, struct slice id)
{
    struct check *check = stamps->check;
    struct arena arena = {0};
    struct err err = {0};
    if (!check->schema)
        return;
    struct slice *cells = arena_alloc(&arena, (check->schema->key_count + 1) * sizeof *cells);
    if (!map_key_parse(check->schema, id, cells, &arena, &err) && stamps->odd_ids++ == 0)
        stamps->odd_why = check_text(check->findings, "%s", err.text);
    arena_free(&arena);
}

static void see_stamp(struct stamps *stamps, const struct json_node *hit, int64_t unit)
{
    const struct json_node *id = json_member(hit, "_id"), *version = json_member(hit, "_version");
    const struct json_node *sort = json_member(hit, "sort");
    const struct json_node *value =
        sort && sort->type == JSON_ARRAY && sort->children ? json_first(sort) : NULL;
    struct check_stamp stamp;
    if (!id || !version || !json_int64(version, &stamp.version))
        return;
    stamps->seen++;
    judge_id(stamps, id->text);
    /* A document without the field is sorted to one end of all numbers. */
    if (!value || !json_int64(value, &stamp.field) || stamp.field == INT64_MIN ||
        stamp.field == INT64_MAX)
        return;
    stamp.field /= unit;
    stamp.id = id->text;
    stamps->list[stamps->count++] = stamp;
}

static void judge_external(struct stamps *stamps)
{
    struct check *check = stamps->check;
    int64_t *versions = arena_alloc(check->arena, (stamps->count + 1) * sizeof *versions);
    size_t count = 0;
    for (size_t i = 0; i < stamps->count; i++)
        if (stamps->list[i].version == stamps->list[i].field)
            versions[count++] = stamps->list[i].version;
    check_judge_stamps(check->findings, check->index_where, version_field(check), stamps->list,
                       stamps->count);
    const struct check_versions sample = {
        .versions = versions,
        .count = count,
        .unit_us = check->tables->unit_us,
        .now_us = clock_wall_us(),
        .skew_us = check->pipeline->future_skew_us,
        .things = "documents",
    };
    check_judge_versions(check->findings, check->index_where,
                         check_option(check, "sync.versionUnit"), &sample);
}

static void judge_ids(const struct stamps *stamps)
{
    if (stamps->odd_ids)
        check_add(stamps->check->findings, CHECK_ERROR, stamps->check->index_where,
                  "write such documents under the canonical _id, or make the key column text",
                  "%zu of %zu documents have an _id that is no key and become dead letters: %s",
                  stamps->odd_ids, stamps->seen, stamps->odd_why);
}

static void look_at_versions(struct check *check, struct json_doc *doc, struct buf *text)
{
    struct buf body = {0};
    append_search(check, &body, STAMPS_MAX, false);
    if (!search(check, &body, doc, text))
        return;
    const struct json_node *hits = json_path(json_root(doc), "hits.hits");
    struct stamps stamps = {.check = check};
    const int64_t unit = sorted_unit(check);
    if (!hits || hits->type != JSON_ARRAY)
        return;
    stamps.list = arena_alloc(check->arena, (hits->children + 1) * sizeof *stamps.list);
    for (const struct json_node *n = json_first(hits); n; n = json_next(hits, n))
        see_stamp(&stamps, n, unit);
    judge_external(&stamps);
    judge_ids(&stamps);
    if (stamps.seen == 0)
        check_add(check->findings, CHECK_INFO, check->index_where, "check again when it has some",
                  "has no documents: whether they carry external versions can't be told yet");
}

/* --- documents without the field */

static void look_for_unstamped(struct check *check, struct json_doc *doc, struct buf *text)
{
    struct buf body = {0};
    struct err err = {0};
    const char *field = version_field(check);
    if (es_client_version(check->elasticsearch)->meta_timestamp)
        return; /* the server fills it in */
    buf_append_str(&body, "{\"query\":{\"bool\":{\"must_not\":{\"exists\":{\"field\":");
    if (!json_append_string(&body, slice_str(field)))
        buf_append_str(&body, "\"\"");
    buf_append_str(&body, "}}}}}");
    int64_t count = 0;
    if (!await_es_ask(check->elasticsearch, "/{documents}/_count", &body, doc, text, &err)) {
        check_failed(check, check->index_where, "counting documents", &err);
        return;
    }
    const struct json_node *n = json_member(json_root(doc), "count");
    if (n && json_int64(n, &count) && count > 0)
        check_add(check->findings, CHECK_ERROR, check_field_place(check, slice_str(field)),
                  "let applications put the version into it",
                  "%lld documents lack it: they are never copied", (long long)count);
}

/* --- contents */

static bool is_odd_mark(const struct check *check, const struct json_node *source)
{
    const struct slice name = check->pipeline->deleted_field;
    for (const struct json_node *n = json_first(source); n && !slice_is_null(name);
         n = json_next(source, n))
        if (slice_equal(n->key, name))
            return n->type != JSON_TRUE && n->type != JSON_FALSE && n->type != JSON_NULL;
    return false;
}

static void look_at_contents(struct check *check, struct json_doc *doc, struct buf *text)
{
    struct buf body = {0};
    if (!check->schema)
        return;
    append_search(check, &body, CONTENTS_MAX, true);
    if (!search(check, &body, doc, text))
        return;
    const struct json_node *hits = json_path(json_root(doc), "hits.hits");
    size_t seen = 0, unreadable = 0, odd_marks = 0;
    const char *why = "";
    struct arena arena = {0};
    for (const struct json_node *n = hits && hits->type == JSON_ARRAY ? json_first(hits) : NULL; n;
         n = json_next(hits, n)) {
        const struct json_node *source = json_member(n, "_source");
        struct slice *cells =
            arena_zalloc(&arena, (check->schema->column_count + 1) * sizeof *cells);
        struct err err = {0};
        if (!source || source->type != JSON_OBJECT)
            continue;
        seen++;
        odd_marks += is_odd_mark(check, source);
        if (!map_document_cells(check->schema, source, cells, NULL, &arena, &err) &&
            unreadable++ == 0)
            why = check_text(check->findings, "%s", err.text);
    }
    arena_free(&arena);
    if (unreadable)
        check_add(
            check->findings, CHECK_ERROR, check->index_where,
            "alter the column's type, mend the documents, or exclude the field",
            "%zu of %zu documents don't fit into the table's columns and become dead letters: %s",
            unreadable, seen, why);
    if (odd_marks)
        check_add(
            check->findings, CHECK_ERROR, check_field_place(check, check->pipeline->deleted_field),
            "let applications write true or false",
            "marks deleted documents, but is not boolean in %zu of %zu documents", odd_marks, seen);
}

void check_documents(struct check *check)
{
    struct json_doc *doc = json_doc_new();
    struct buf text = {0};
    look_at_versions(check, doc, &text);
    look_for_unstamped(check, doc, &text);
    look_at_contents(check, doc, &text);
    buf_free(&text);
    json_doc_free(doc);
}
