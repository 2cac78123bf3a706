#include "job/check_context.h"
#include "source/await.h"

/* --- Cassandra */

static void append_key_names(struct buf *text, const struct check_table *table, const char *each)
{
    const char *comma = "";
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct map_table_column *column = &table->columns[i];
        if (column->kind != MAP_PARTITION_KEY && column->kind != MAP_CLUSTERING)
            continue;
        buf_append_str(text, comma);
        comma = ", ";
        if (each)
            buf_append_str(text, each);
        else
            source_append_name(text, column->name);
    }
}

static bool may(struct check *check, const struct check_table *table, struct buf *text,
                const char *privilege)
{
    const struct cql_statement statement = {.text = buf_slice(text)};
    const struct cql_execution execution = {.consistency = check->tables->consistency};
    struct err err = {0};
    const bool ran = await_cql_rows(check->cassandra, &statement, &execution, NULL, NULL, &err);
    buf_free(text);
    if (ran || err.code == ERR_REQUEST)
        return true;
    if (err.code == ERR_AUTH)
        check_add(check->findings, CHECK_ERROR, table->where,
                  check_text(check->findings, "GRANT %s ON %s.%s TO the daemon's role", privilege,
                             table->keyspace, table->name),
                  "the daemon's login lacks %s: %s", privilege, err.text);
    else
        check_failed(check, table->where, check_text(check->findings, "trying %s", privilege),
                     &err);
    return false;
}

static bool may_select(struct check *check, const struct check_table *table)
{
    struct buf text = {0};
    buf_append_str(&text, "SELECT ");
    append_key_names(&text, table, NULL);
    buf_append_str(&text, " FROM ");
    source_append_table(&text, table->keyspace, table->name);
    buf_append_str(&text, " LIMIT 1");
    return may(check, table, &text, "SELECT");
}

/* An INSERT without a key is refused before anything is written, but only after the server has
 * looked at privileges: whatever its authorizer is, it tells whether writes are permitted. */
bool check_may_modify(struct check *check, const struct check_table *table)
{
    struct buf text = {0};
    buf_append_str(&text, "INSERT INTO ");
    source_append_table(&text, table->keyspace, table->name);
    buf_append_str(&text, " (");
    append_key_names(&text, table, NULL);
    buf_append_str(&text, ") VALUES (");
    append_key_names(&text, table, "null");
    buf_append_char(&text, ')');
    return may(check, table, &text, "MODIFY");
}

static bool try_table(struct check *check, const struct check_table *table)
{
    const bool readable = may_select(check, table);
    return check_may_modify(check, table) && readable;
}

void check_cassandra_privileges(struct check *check)
{
    bool fine = true;
    if (check->have & CHECK_DATA)
        fine = try_table(check, &check->data);
    if (check->have & CHECK_SERIES)
        fine = try_table(check, &check->series) && fine;
    if (fine)
        check->have |= CHECK_READABLE;
}

/* --- Elasticsearch */

static const struct {
    const char *name;
    bool refresh; /* only for the refresh once a cycle */
} privileges[] = {
    {"read", false},
    {"index", false},
    {"delete", false},
    {"maintenance", true},
    {"view_index_metadata", false},
};

static void append_question(struct check *check, struct buf *body)
{
    const char *comma = "";
    buf_append_str(body, "{\"cluster\":[\"monitor\"],\"index\":[{\"names\":[");
    if (!json_append_string(body, slice_str(check->options->index)))
        buf_append_str(body, "\"\"");
    buf_append_str(body, "],\"privileges\":[");
    for (size_t i = 0; i < ARRAY_LEN(privileges); i++) {
        if (privileges[i].refresh && !check->pipeline->refresh)
            continue;
        buf_printf(body, "%s\"%s\"", comma, privileges[i].name);
        comma = ",";
    }
    buf_append_str(body, "]}]}");
}

static bool is_false(const struct json_node *n)
{
    return n && n->type == JSON_FALSE;
}

static void judge_privileges(struct check *check, const struct json_node *answer)
{
    const struct json_node *indices = json_member(answer, "index");
    const struct json_node *index =
        indices && indices->type == JSON_OBJECT && indices->children ? json_first(indices) : NULL;
    struct buf missing = {0};
    for (size_t i = 0; i < ARRAY_LEN(privileges); i++)
        if (is_false(json_member(index, privileges[i].name)))
            buf_printf(&missing, "%s%s", missing.len ? ", " : "", privileges[i].name);
    if (missing.len)
        check_add(check->findings, CHECK_ERROR, check->index_where,
                  "give the daemon's user a role with these privileges on the index",
                  "the login lacks: %.*s", SLICE_ARG(buf_slice(&missing)));
    if (is_false(json_path(answer, "cluster.monitor")))
        check_add(check->findings, CHECK_INFO, check->index_where,
                  "give the daemon's user the cluster privilege monitor",
                  "the login lacks monitor: clocks and the state of the index can't be looked at");
    buf_free(&missing);
}

/* Servers without this feature don't know the question. */
void check_elasticsearch_privileges(struct check *check)
{
    if (!check->options->elasticsearch_login)
        return;
    struct json_doc *doc = json_doc_new();
    struct buf body = {0}, text = {0};
    struct err err = {0};
    append_question(check, &body);
    if (await_es_ask(check->elasticsearch,
                     es_client_version(check->elasticsearch)->typed
                         ? "/_xpack/security/user/_has_privileges"
                         : "/_security/user/_has_privileges",
                     &body, doc, &text, &err))
        judge_privileges(check, json_root(doc));
    else if (err.code != ERR_REQUEST && err.code != ERR_NOT_FOUND)
        check_failed(check, check->index_where, "looking at privileges", &err);
    buf_free(&text);
    json_doc_free(doc);
}
