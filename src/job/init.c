#include "job/init.h"

#include "io/task.h"
#include "map/propose.h"
#include "source/await.h"

enum { IDS_LOOKED_AT = 1000, AGREEMENT_POLLS = 100, AGREEMENT_PAUSE_MS = 100 };

struct init {
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    const struct job_init_options *options;
    struct buf *said;
    int *created;
    struct arena arena;
    /* what is there */
    bool keyspace, data, series, index, mapped;
    /* what is, or what will be */
    struct map_table_column *columns; /* of the data table */
    uint32_t column_count;
    const struct map_schema *schema;
    struct json_doc *doc;
    struct buf mapping;
    struct buf remarks; /* of the data table, as CQL comments */
};

/* --- looking */

static bool see(void *ctx, const struct slice *cells, uint32_t count)
{
    (void)cells;
    (void)count;
    *(bool *)ctx = true;
    return false;
}

static bool look_at_keyspace(struct init *init, struct err *err)
{
    const struct cql_value value = cql_value_of(slice_str(init->options->table->keyspace));
    const struct cql_statement statement = {
        .text = SLICE_LIT("SELECT keyspace_name FROM system_schema.keyspaces "
                          "WHERE keyspace_name = ?"),
        .values = &value,
        .value_count = 1,
    };
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE};
    return await_cql_rows(init->cassandra, &statement, &execution, see, &init->keyspace, err) ||
           err_context(err, "reading cassandra's keyspaces");
}

static bool look_at_tables(struct init *init, struct err *err)
{
    const struct source_table_options *table = init->options->table;
    struct map_table_column *series;
    uint32_t series_count;
    if (!look_at_keyspace(init, err) ||
        !source_table_columns(init->cassandra, table->keyspace, table->data, &init->arena,
                              &init->columns, &init->column_count, err) ||
        !source_table_columns(init->cassandra, table->keyspace, table->series, &init->arena,
                              &series, &series_count, err))
        return false;
    init->data = init->column_count > 0;
    init->series = series_count > 0;
    return true;
}

static bool look_at_index(struct init *init, struct err *err)
{
    struct err missing = {0};
    if (await_es_mapping(init->elasticsearch, &init->mapping, &missing)) {
        init->index = init->mapped = true;
        return json_parse(init->doc, buf_slice(&init->mapping), false, err);
    }
    /* Before 7 an index without a mapping looks like none. */
    if (missing.code == ERR_NOT_FOUND)
        init->index = await_es_refresh(init->elasticsearch, &missing);
    if (init->index || missing.code == ERR_NOT_FOUND)
        return true;
    if (err)
        *err = missing;
    return err_context(err, "reading the mapping of index %s", init->options->index);
}

/* --- what a missing data table should look like */

struct ids {
    uint32_t seen, others;
};

/* 36 characters as uuids are rendered: lower case, with four dashes. */
static bool is_uuid(struct slice id)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    bool fits = id.len == sizeof form - 1;
    for (size_t i = 0; fits && i < id.len; i++) {
        const char c = id.ptr[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        fits = form[i] == 'x' ? hex : c == '-';
    }
    return fits;
}

static void see_id(void *ctx, struct slice id)
{
    struct ids *ids = ctx;
    ids->seen++;
    ids->others += !is_uuid(id);
}

static bool choose_key_type(struct init *init, const char **type, struct err *err)
{
    const struct map_options *map = &init->options->table->map;
    *type = "text";
    if (map->key_name_count > 1) {
        buf_append_str(&init->remarks, "-- the key columns are text: the mapping does not tell "
                                       "their types\n");
        return true;
    }
    struct ids ids = {0};
    if (!await_es_some_ids(init->elasticsearch, IDS_LOOKED_AT, see_id, &ids, err))
        return err_context(err, "looking at the ids in index %s", init->options->index);
    if (ids.others == 0)
        *type = "uuid";
    if (ids.seen == 0)
        buf_append_str(&init->remarks, "-- the key is a uuid: the index is empty, no _id tells\n");
    else if (ids.others == 0)
        buf_printf(&init->remarks,
                   "-- the key is a uuid, as the _id of all %u documents looked "
                   "at is\n",
                   ids.seen);
    else
        buf_printf(&init->remarks,
                   "-- the key is text: of %u documents looked at, %u have an _id "
                   "that is no uuid\n",
                   ids.seen, ids.others);
    return true;
}

static bool listed(const struct slice *names, uint32_t count, struct slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

/* Whether the field may become a column of the new table; a remark where people may wonder. */
static bool takes(struct init *init, const struct map_proposal *proposal)
{
    const struct map_options *o = &init->options->table->map;
    if (o->elasticsearch_include_count
            ? !listed(o->elasticsearch_include, o->elasticsearch_include_count, proposal->field)
            : listed(o->elasticsearch_exclude, o->elasticsearch_exclude_count, proposal->field))
        return false;
    const bool key = listed(o->key_names, o->key_name_count, proposal->column);
    if (key || !proposal->type)
        buf_printf(&init->remarks, "-- field \"%.*s\" is left out: %.*s\n",
                   SLICE_ARG(proposal->field),
                   SLICE_ARG(key ? SLICE_LIT("the key column has its name") : proposal->reason));
    return !key && proposal->type;
}

static bool propose_data(struct init *init, struct err *err)
{
    const struct source_table_options *table = init->options->table;
    const struct map_options *map = &table->map;
    const struct map_proposal *proposals;
    uint32_t proposed;
    const char *key_type;
    if (!choose_key_type(init, &key_type, err))
        return false;
    map_propose_columns(json_root(init->doc), map, &init->arena, &proposals, &proposed);
    init->columns =
        arena_zalloc(&init->arena, (map->key_name_count + proposed) * sizeof *init->columns);
    for (uint32_t i = 0; i < map->key_name_count; i++)
        init->columns[init->column_count++] = (struct map_table_column){
            .name = map->key_names[i],
            .type = slice_str(key_type),
            .kind = i == 0 ? MAP_PARTITION_KEY : MAP_CLUSTERING,
            .position = i == 0 ? 0 : (int32_t)i - 1,
        };
    for (uint32_t i = 0; i < proposed; i++)
        if (takes(init, &proposals[i]))
            init->columns[init->column_count++] = (struct map_table_column){
                .name = proposals[i].column,
                .type = slice_str(proposals[i].type),
                .kind = MAP_REGULAR,
                .position = -1,
            };
    return init->column_count > map->key_name_count ||
           err_set(err, ERR_SCHEMA,
                   "cassandra has no table %s.%s, and the mapping of index %s has no field that a "
                   "column could hold; create the table, then repeat",
                   table->keyspace, table->data, init->options->index);
}

static bool look(struct init *init, struct err *err)
{
    const struct source_table_options *table = init->options->table;
    if (!await_cql_connect(init->cassandra, err) || !await_es_connect(init->elasticsearch, err) ||
        !look_at_tables(init, err) || !look_at_index(init, err))
        return false;
    if (!init->data && !init->mapped)
        return err_set(err, ERR_SCHEMA,
                       "neither table %s.%s nor a mapping of index %s is there, so nothing tells "
                       "what the records look like; create one of them, then repeat",
                       table->keyspace, table->data, init->options->index);
    if (!init->data && !propose_data(init, err))
        return false;
    init->schema =
        map_schema_build(init->columns, init->column_count, &table->map, &init->arena, err);
    return init->schema || err_context(err, "table %s.%s", table->keyspace, table->data);
}

/* --- creating */

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
    map_propose_mapping(init->schema, (struct map_index_style){.legacy = version->meta_timestamp},
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

bool job_init(struct cql_client *cassandra, struct es_client *elasticsearch,
              const struct job_init_options *options, struct buf *said, int *created,
              struct err *err)
{
    struct init init = {
        .cassandra = cassandra,
        .elasticsearch = elasticsearch,
        .options = options,
        .said = said,
        .created = created,
        .doc = json_doc_new(),
    };
    *created = 0;
    const bool fine = look(&init, err) && (init.keyspace || create_keyspace(&init, err)) &&
                      (init.data || create_data(&init, err)) &&
                      (init.series || create_series(&init, err)) &&
                      (init.index || create_index(&init, err));
    json_doc_free(init.doc);
    buf_free(&init.mapping);
    buf_free(&init.remarks);
    arena_free(&init.arena);
    return fine;
}
