#include "job/check_context.h"
#include "job/check_fit.h"

/* What the mapping says about whole documents and about their version. */

static bool is_true(const struct json_node *n)
{
    return n && (n->type == JSON_TRUE || slice_is(n->text, "true"));
}

static bool is_false(const struct json_node *n)
{
    return n && (n->type == JSON_FALSE || slice_is(n->text, "false"));
}

static void judge_source(struct check *check)
{
    const struct json_node *source = json_member(check->mapping, "_source");
    static const char *const lists[] = {"includes", "excludes", "include", "exclude"};
    if (is_false(json_member(source, "enabled"))) {
        check_add(check->findings, CHECK_ERROR, check->index_where,
                  "create a new index that keeps _source, and reindex from where the data is",
                  "_source is disabled: documents can't be read back");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const struct json_node *list = json_member(source, lists[i]);
        if (list && list->children)
            check_add(check->findings, CHECK_WARNING, check->index_where,
                      "keep all of _source in a new index, or exclude the fields in "
                      "ElasticSearchConfig and CassandraConfig",
                      "_source leaves fields out (%s): they look empty, and empty is copied",
                      lists[i]);
    }
}

static void judge_routing(struct check *check)
{
    if (!is_true(json_path(check->mapping, "_routing.required")))
        return;
    if (es_client_version(check->elasticsearch)->tells_routing)
        check_add(check->findings, CHECK_WARNING, check->index_where,
                  "create a new index without it, or let all records begin in Elasticsearch",
                  "_routing is required: documents keep theirs, but rows that have no document yet "
                  "become dead letters");
    else
        check_add(
            check->findings, CHECK_ERROR, check->index_where, "create a new index without it",
            "_routing is required: this version of the server does not tell it to the daemon, "
            "which writes and reads without");
}

static void judge_meta_timestamp(struct check *check)
{
    if (is_true(json_path(check->mapping, "_timestamp.enabled")))
        return;
    check->have &= ~(unsigned)CHECK_SEARCHABLE;
    check_add(check->findings, CHECK_ERROR, check->index_where,
              "put {\"_timestamp\": {\"enabled\": true}} into the mapping of a new index",
              "_timestamp is not enabled: documents can't be searched by version");
}

static const char *dynamic_of(const struct check *check)
{
    const struct json_node *dynamic = json_member(check->mapping, "dynamic");
    if (!dynamic || is_true(dynamic))
        return "true";
    return is_false(dynamic) ? "false" : slice_is(dynamic->text, "strict") ? "strict" : "runtime";
}

static void judge_missing(struct check *check, const char *where)
{
    const char *dynamic = dynamic_of(check);
    const char *remedy = check_text(
        check->findings, "PUT /%s/_mapping {\"properties\": {\"%.*s\": {\"type\": \"long\"}}}",
        check->options->index, SLICE_ARG(check->pipeline->timestamp_field));
    if (strcmp(dynamic, "strict") == 0)
        check_add(check->findings, CHECK_ERROR, where, remedy,
                  "is not mapped, and dynamic is strict: every copy is refused");
    else if (strcmp(dynamic, "false") == 0)
        check_add(check->findings, CHECK_ERROR, where, remedy,
                  "is not mapped, and dynamic is false: documents can't be searched by version");
    else
        check_add(check->findings, CHECK_WARNING, where, remedy,
                  "is not mapped: the first document decides what it becomes");
    check->have &= ~(unsigned)CHECK_SEARCHABLE;
}

static void judge_date(struct check *check, const char *where, const struct json_node *field)
{
    static const char *const millis[] = {"epoch_millis"}, *const second[] = {"epoch_second"};
    const struct json_node *format = json_member(field, "format");
    const bool takes_millis = check_format_has(format, millis, 1);
    const bool takes_seconds = check_format_has(format, second, 1);
    const int64_t unit = check->tables->unit_us;
    if (!takes_millis && !takes_seconds)
        check_add(check->findings, CHECK_ERROR, where,
                  "map it as long, or with epoch_millis in its format, in a new index",
                  "is a date whose format %.*s takes no numbers: every copy is refused",
                  SLICE_ARG(format->text));
    else if (unit == 0 || unit == 1)
        check_add(check->findings, CHECK_WARNING, where, "map it as long in a new index",
                  "is a date, but versions are no seconds or milliseconds (sync.versionUnit)");
    else if (unit == 1000000 && !takes_seconds)
        check_add(check->findings, CHECK_INFO, where,
                  "map it as long, or with the format epoch_second, in a new index",
                  "is a date in milliseconds, but versions are seconds: they look like 1970");
    else if (unit == 1000 && !takes_millis)
        check_add(check->findings, CHECK_WARNING, where,
                  "map it as long, or with the format epoch_millis, in a new index",
                  "is a date in seconds, but versions are milliseconds");
}

static void judge_number(struct check *check, const char *where, struct slice type)
{
    const int64_t unit = check->tables->unit_us;
    if (slice_is(type, "integer") && (unit == 1000000 || unit == 0))
        check_add(check->findings, CHECK_INFO, where, "map it as long in a new index",
                  "an integer holds versions up to 2147483647 only");
    else if (slice_is(type, "double") && unit != 1)
        check_add(check->findings, CHECK_INFO, where, "map it as long in a new index",
                  "is a double, which is exact for versions up to 2^53 only");
    else if (!slice_is(type, "long") && !slice_is(type, "unsigned_long")) {
        check_add(check->findings, CHECK_ERROR, where,
                  "map it as long in a new index (caes-sync init makes one), and reindex",
                  "is mapped as %.*s: it can't hold versions, or not in their order",
                  SLICE_ARG(type));
        check->have &= ~(unsigned)CHECK_SEARCHABLE;
    }
}

static void judge_timestamp(struct check *check)
{
    const struct slice name = check->pipeline->timestamp_field;
    const char *where = check_field_place(check, name);
    const struct json_node *properties = json_member(check->mapping, "properties");
    const struct json_node *field = NULL;
    for (const struct json_node *n = properties ? json_first(properties) : NULL; n;
         n = json_next(properties, n))
        if (slice_equal(n->key, name))
            field = n;
    if (!field) {
        judge_missing(check, where);
        return;
    }
    const struct slice type = check_field_type(field);
    if (slice_is(type, "date") || slice_is(type, "date_nanos"))
        judge_date(check, where, field);
    else
        judge_number(check, where, type);
    if (is_false(json_member(field, "index"))) {
        check_add(check->findings, CHECK_ERROR, where, "map it with index: true in a new index",
                  "is not indexed: it can't be searched, or only slowly");
        check->have &= ~(unsigned)CHECK_SEARCHABLE;
    }
}

static void judge_deleted(struct check *check)
{
    const struct slice name = check->pipeline->deleted_field;
    const struct json_node *properties = json_member(check->mapping, "properties");
    if (slice_is_null(name))
        return;
    for (const struct json_node *n = properties ? json_first(properties) : NULL; n;
         n = json_next(properties, n))
        if (slice_equal(n->key, name) && !slice_is(check_field_type(n), "boolean"))
            check_add(check->findings, CHECK_ERROR, check_field_place(check, name),
                      "map it as boolean in a new index, or mend deletedFieldName",
                      "marks deleted documents, but is mapped as %.*s",
                      SLICE_ARG(check_field_type(n)));
}

void check_meta(struct check *check)
{
    judge_source(check);
    judge_routing(check);
    judge_deleted(check);
    if (es_client_version(check->elasticsearch)->meta_timestamp)
        judge_meta_timestamp(check);
    else
        judge_timestamp(check);
}
