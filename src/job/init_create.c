#include "job/init_create.h"

#include "io/task.h"
#include "map/codec_any.h"
#include "map/propose.h"
#include "source/await.h"

enum { AGREEMENT_POLLS = 100, AGREEMENT_PAUSE_MS = 100 };

struct versions {
    char first[16];
    bool any, differ;
};

static bool see_version(void *ctx, const struct slice *cells, uint32_t count)
{
    struct versions *versions = ctx;
    if (count < 1 || cells[0].len != sizeof versions->first)
        return true;
    if (versions->any)
        versions->differ |= memcmp(versions->first, cells[0].ptr, cells[0].len) != 0;
    else
        memcpy(versions->first, cells[0].ptr, cells[0].len);
    versions->any = true;
    return true;
}

/* Another node may get the next statement: it has to know what this one has made. */
static bool wait_for_agreement(struct init *init, struct err *err)
{
    static const struct cql_statement asked[] = {
        {.text = SLICE_LIT("SELECT schema_version FROM system.local")},
        {.text = SLICE_LIT("SELECT schema_version FROM system.peers")},
    };
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE};
    for (int i = 0; i < AGREEMENT_POLLS; i++) {
        struct versions versions = {0};
        for (size_t j = 0; j < ARRAY_LEN(asked); j++)
            if (!await_cql_rows(init->cassandra, &asked[j], &execution, see_version, &versions,
                                err))
                return false;
        if (!versions.differ)
            return true;
        if (init->options->loop)
            io_sleep(init->options->loop, AGREEMENT_PAUSE_MS, NULL);
    }
    log_warning(init->options->log, "cassandra's nodes do not agree on the schema yet");
    return true;
}

/* Takes text over. */
static bool create(struct init *init, struct buf *text, const char *what, const char *name,
                   struct err *err)
{
    bool fine = true;
    if (!init->options->dry_run) {
        fine = (await_cql_run(init->cassandra, buf_slice(text), err) &&
                wait_for_agreement(init, err)) ||
               err_context(err, "creating %s %s", what, name);
        if (fine)
            log_info(init->options->log, "created %s %s", what, name);
    }
    if (fine) {
        ++*init->created;
        buf_append_slice(init->said, buf_slice(text));
        buf_append_str(init->said, ";\n");
    }
    buf_free(text);
    return fine;
}

static bool create_keyspace(struct init *init, struct err *err)
{
    const char *name = init->options->table->keyspace;
    const char *replication = init->options->replication;
    struct buf text = {0};
    buf_append_str(&text, "CREATE KEYSPACE IF NOT EXISTS ");
    source_append_name(&text, slice_str(name));
    buf_append_str(&text, " WITH replication = ");
    buf_append_str(&text, replication ? replication
                                      : "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    return create(init, &text, "keyspace", name, err);
}

static bool create_any_type(struct init *init, struct err *err)
{
    struct buf text = {0};
    buf_append_str(&text, "CREATE TYPE IF NOT EXISTS ");
    source_append_table(&text, init->options->table->keyspace, MAP_ANY_TYPE);
    buf_append_str(&text, " (" MAP_ANY_FIELD " text)");
    return create(init, &text, "type", MAP_ANY_TYPE, err);
}

static void append_column(struct buf *text, struct slice name, struct slice type)
{
    buf_append_str(text, "  ");
    source_append_name(text, name);
    buf_append_char(text, ' ');
    buf_append_slice(text, type);
    buf_append_str(text, ",\n");
}

static void append_key_type(struct buf *text, const struct map_column *key)
{
    struct buf type = {0};
    cql_type_append(&type, key->type);
    append_column(text, key->name, buf_slice(&type));
    buf_free(&type);
}

static void append_key_names(struct buf *text, const struct map_schema *schema)
{
    for (uint32_t i = 0; i < schema->key_count; i++) {
        if (i > 0)
            buf_append_str(text, ", ");
        source_append_name(text, schema->keys[i].name);
    }
    buf_append_str(text, ")\n)");
}

static bool create_data(struct init *init, struct err *err)
{
    const struct source_table_options *table = init->options->table;
    struct buf text = {0};
    buf_append_slice(&text, buf_slice(&init->remarks));
    buf_append_str(&text, "CREATE TABLE IF NOT EXISTS ");
    source_append_table(&text, table->keyspace, table->data);
    buf_append_str(&text, " (\n");
    for (uint32_t i = 0; i < init->column_count; i++)
        append_column(&text, init->columns[i].name, init->columns[i].type);
    buf_append_str(&text, "  PRIMARY KEY (");
    append_key_names(&text, init->schema);
    return create(init, &text, "table", table->data, err);
}

static bool create_series(struct init *init, struct err *err)
{
    const struct source_table_options *table = init->options->table;
    struct buf text = {0};
    buf_append_str(&text, "CREATE TABLE IF NOT EXISTS ");
    source_append_table(&text, table->keyspace, table->series);
    buf_append_str(&text, " (\n");
    append_column(&text, slice_str(table->series_id), SLICE_LIT("int"));
    append_column(&text, slice_str(table->series_version), SLICE_LIT("bigint"));
    for (uint32_t i = 0; i < init->schema->key_count; i++)
        append_key_type(&text, &init->schema->keys[i]);
    buf_append_str(&text, "  PRIMARY KEY (");
    source_append_name(&text, slice_str(table->series_id));
    buf_append_str(&text, ", ");
    source_append_name(&text, slice_str(table->series_version));
    buf_append_str(&text, ", ");
    append_key_names(&text, init->schema);
    return create(init, &text, "table", table->series, err);
}

/* A line a property. */
static void say_mapping(struct init *init, const struct json_node *mapping)
{
    const char *before = "{";
    for (const struct json_node *n = json_first(mapping); n; n = json_next(mapping, n)) {
        buf_printf(init->said, "%s\n  \"%.*s\": ", before, SLICE_ARG(n->key));
        before = ",";
        if (!slice_is(n->key, "properties")) {
            buf_append_slice(init->said, n->raw);
            continue;
        }
        const char *comma = "{\n    ";
        for (const struct json_node *p = json_first(n); p; p = json_next(n, p)) {
            buf_append_str(init->said, comma);
            comma = ",\n    ";
            json_append_parsed(init->said, p->key);
            buf_append_str(init->said, ": ");
            buf_append_slice(init->said, p->raw);
        }
        buf_append_str(init->said, n->children ? "\n  }" : "{}");
    }
    buf_append_str(init->said, "\n}");
}

static bool say_index(struct init *init, struct slice mapping, struct err *err)
{
    const bool typed = es_client_version(init->elasticsearch)->typed;
    if (!json_parse(init->doc, mapping, false, err))
        return false;
    buf_printf(init->said, "PUT /%s\n{\"mappings\": ", init->options->index);
    if (typed)
        buf_printf(init->said, "{\"%s\": ", init->options->type ? init->options->type : "doc");
    say_mapping(init, json_root(init->doc));
    buf_append_str(init->said, typed ? "}}\n" : "}\n");
    return true;
}

static bool create_index(struct init *init, struct err *err)
{
    const struct job_init_options *options = init->options;
    const struct es_version *version = es_client_version(init->elasticsearch);
    struct buf mapping = {0};
    const struct map_index_style style = {.legacy = version->meta_timestamp,
                                          .dense_vector = version->dense_vector};
    map_propose_mapping(init->schema, style,
                        version->meta_timestamp ? SLICE_NULL : slice_str(options->timestamp_field),
                        options->table->map.deleted_field, &mapping);
    bool fine =
        options->dry_run || await_es_index_create(init->elasticsearch, buf_slice(&mapping), err);
    if (fine) {
        ++*init->created;
        if (!options->dry_run)
            log_info(options->log, "created index %s", options->index);
        fine = say_index(init, buf_slice(&mapping), err);
    }
    buf_free(&mapping);
    return fine || err_context(err, "creating index %s", options->index);
}

bool init_create(struct init *init, struct err *err)
{
    return (init->keyspace || create_keyspace(init, err)) &&
           (init->any_type || create_any_type(init, err)) &&
           (init->data || create_data(init, err)) && (init->series || create_series(init, err)) &&
           (init->index || create_index(init, err));
}
