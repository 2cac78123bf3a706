#include "job/init.h"

#include "io/task.h"
#include "job/init_create.h"
#include "map/codec_any.h"
#include "map/propose.h"
#include "source/await.h"
#include "source/user_types.h"

enum { IDS_LOOKED_AT = 1000, SHARD_TRIES = 100, SHARD_PAUSE_MS = 100 };

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
    init->data = init->any_type = init->column_count > 0;
    init->series = series_count > 0;
    return true;
}

/* The shards of an index that has just been created can't be asked yet: true after a pause, when
 * it is worth while to ask again. */
static bool starts_yet(struct init *init, const struct err *err, int *tries)
{
    if (err->code != ERR_UNAVAILABLE || !init->options->loop || ++*tries > SHARD_TRIES)
        return false;
    io_sleep(init->options->loop, SHARD_PAUSE_MS, NULL);
    return true;
}

static bool look_at_index(struct init *init, struct err *err)
{
    int tries = 0;
    struct err missing = {0};
    if (await_es_mapping(init->elasticsearch, &init->mapping, &missing)) {
        init->index = init->mapped = true;
        return json_parse(init->doc, buf_slice(&init->mapping), false, err);
    }
    /* Before 7 an index without a mapping looks like none. */
    if (missing.code == ERR_NOT_FOUND) {
        do
            init->index = await_es_refresh(init->elasticsearch, &missing);
        while (!init->index && starts_yet(init, &missing, &tries));
    }
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
    struct ids ids;
    struct err failed = {0};
    int tries = 0;
    /* Documents that don't show yet count, too; where that is not permitted, they don't. */
    (void)!await_es_refresh(init->elasticsearch, &failed);
    bool fine;
    do {
        ids = (struct ids){0};
        fine = await_es_some_ids(init->elasticsearch, IDS_LOOKED_AT, see_id, &ids, &failed);
    } while (!fine && starts_yet(init, &failed, &tries));
    if (!fine && err)
        *err = failed;
    if (!fine)
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
    if (o->version_column.ptr && slice_equal(proposal->column, o->version_column))
        return false; /* it holds the version */
    if (key)
        buf_printf(&init->remarks, "-- field \"%.*s\" is left out: the key column has its name\n",
                   SLICE_ARG(proposal->field));
    else if (!slice_is_null(proposal->remark))
        buf_printf(&init->remarks, "-- field \"%.*s\" is kept as JSON: %.*s\n",
                   SLICE_ARG(proposal->field), SLICE_ARG(proposal->remark));
    return !key;
}

/* The keyspace's types and, where it lacks it, the one for JSON. */
static bool find_user_types(struct init *init, const struct map_user_types **types, struct err *err)
{
    static const struct slice names[] = {SLICE_LIT(MAP_ANY_FIELD)}, texts[] = {SLICE_LIT("text")};
    const struct map_user_type any = {SLICE_LIT(MAP_ANY_TYPE), names, texts, 1};
    const struct map_user_types *there;
    if (!source_user_types(init->cassandra, init->options->table->keyspace, &init->arena, &there,
                           err))
        return false;
    struct map_user_types *all = arena_alloc(&init->arena, sizeof *all);
    struct map_user_type *items =
        arena_alloc(&init->arena, (there->count + (size_t)1) * sizeof *items);
    for (uint32_t i = 0; i < there->count; i++) {
        items[i] = there->items[i];
        init->any_type = init->any_type || slice_is(items[i].name, MAP_ANY_TYPE);
    }
    items[there->count] = any;
    *all = (struct map_user_types){items, there->count + !init->any_type};
    *types = all;
    return true;
}

static bool add_proposed(struct init *init, const struct map_proposal *proposals, uint32_t count,
                         struct err *err)
{
    const struct map_user_types *types;
    bool needed = false;
    if (!find_user_types(init, &types, err))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!takes(init, &proposals[i]))
            continue;
        needed = needed || !slice_is_null(proposals[i].remark);
        init->columns[init->column_count++] = (struct map_table_column){
            .name = proposals[i].column,
            .type = slice_str(proposals[i].type),
            .kind = MAP_REGULAR,
            .position = -1,
            .user_types = types,
        };
    }
    init->any_type = init->any_type || !needed;
    return true;
}

static void add_version_column(struct init *init)
{
    const struct slice name = init->options->table->map.version_column;
    if (!slice_is_null(name))
        init->columns[init->column_count++] = (struct map_table_column){
            .name = name, .type = SLICE_LIT("bigint"), .kind = MAP_REGULAR, .position = -1};
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
    const bool vectors = source_cassandra_major(init->cassandra) >= 5;
    map_propose_columns(json_root(init->doc), map, vectors, &init->arena, &proposals, &proposed);
    init->columns =
        arena_zalloc(&init->arena, (map->key_name_count + proposed + 1) * sizeof *init->columns);
    for (uint32_t i = 0; i < map->key_name_count; i++)
        init->columns[init->column_count++] = (struct map_table_column){
            .name = map->key_names[i],
            .type = slice_str(key_type),
            .kind = i == 0 ? MAP_PARTITION_KEY : MAP_CLUSTERING,
            .position = i == 0 ? 0 : (int32_t)i - 1,
        };
    if (!add_proposed(init, proposals, proposed, err))
        return false;
    if (init->column_count == map->key_name_count)
        return err_set(err, ERR_SCHEMA,
                       "cassandra has no table %s.%s, and the mapping of index %s has no field "
                       "that a column could hold; create the table, then repeat",
                       table->keyspace, table->data, init->options->index);
    add_version_column(init);
    return true;
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
    const bool fine = look(&init, err) && init_create(&init, err);
    json_doc_free(init.doc);
    buf_free(&init.mapping);
    buf_free(&init.remarks);
    arena_free(&init.arena);
    return fine;
}
