#include "app/engine_internal.h"

/* The configuration in the words of the layers below. */

static const enum cql_consistency consistencies[] = {
    [CONFIG_LOCAL_QUORUM] = CQL_LOCAL_QUORUM,
    [CONFIG_QUORUM] = CQL_QUORUM,
    [CONFIG_EACH_QUORUM] = CQL_EACH_QUORUM,
    [CONFIG_ALL] = CQL_ALL,
    [CONFIG_ONE] = CQL_ONE,
    [CONFIG_TWO] = CQL_TWO,
    [CONFIG_THREE] = CQL_THREE,
    [CONFIG_LOCAL_ONE] = CQL_LOCAL_ONE,
};

static const int64_t unit_us[] = {
    [CONFIG_UNIT_S] = 1000000,
    [CONFIG_UNIT_MS] = 1000,
    [CONFIG_UNIT_US] = 1,
    [CONFIG_UNIT_NONE] = 0,
};

static const struct slice *slices(struct engine *e, const char *const *texts, size_t count)
{
    struct slice *list = arena_alloc(&e->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = slice_str(texts[i]);
    return list;
}

static const struct sink_query_text *query_texts(struct engine *e)
{
    const struct config_cassandra *c = &e->settings->cassandra;
    struct sink_query_text *texts =
        arena_alloc(&e->arena, (c->insert_queries.count + 1) * sizeof *texts);
    for (size_t i = 0; i < c->insert_queries.count; i++)
        texts[i] = (struct sink_query_text){.text = c->insert_queries.items[i],
                                            .where = c->insert_query_places.items[i]};
    return texts;
}

static void fill_map(struct engine *e, struct map_options *map)
{
    const struct config_pipeline *s = e->settings;
    *map = (struct map_options){
        .cassandra_include = slices(e, s->cassandra.include.items, s->cassandra.include.count),
        .cassandra_include_count = (uint32_t)s->cassandra.include.count,
        .cassandra_exclude = slices(e, s->cassandra.exclude.items, s->cassandra.exclude.count),
        .cassandra_exclude_count = (uint32_t)s->cassandra.exclude.count,
        .elasticsearch_include = slices(e, s->es.include.items, s->es.include.count),
        .elasticsearch_include_count = (uint32_t)s->es.include.count,
        .elasticsearch_exclude = slices(e, s->es.exclude.items, s->es.exclude.count),
        .elasticsearch_exclude_count = (uint32_t)s->es.exclude.count,
        .rename_field = slices(e, s->rename.names, s->rename.count),
        .rename_column = slices(e, s->rename.values, s->rename.count),
        .rename_count = (uint32_t)s->rename.count,
        .key_names = slices(e, s->cassandra.data_ids.items, s->cassandra.data_ids.count),
        .key_name_count = (uint32_t)s->cassandra.data_ids.count,
        .timestamp_field = slice_str(s->es.timestamp_field),
        .deleted_field = slice_str(s->es.deleted_field),
        .ttl_field = slice_str(s->cassandra.ttl_field),
        .version_column = slice_str(s->cassandra.version_column),
        .every_field = s->cassandra.insert_queries.count > 0,
        .non_finite_text = s->cassandra.non_finite == CONFIG_NON_FINITE_TEXT,
    };
}

void engine_fill_options(struct engine *e)
{
    const struct config_pipeline *s = e->settings;
    const int64_t unit = unit_us[s->sync.unit];
    e->options = (struct pipeline_options){
        .name = s->name,
        .table =
            {
                .keyspace = s->cassandra.keyspace,
                .data = s->cassandra.data_table,
                .series = s->cassandra.series_table,
                .series_id = s->cassandra.series_id_column,
                .series_version = s->cassandra.series_time_column,
                .version_column = s->cassandra.version_column,
                .buckets = (uint32_t)s->cassandra.buckets,
                .unit_us = unit,
                .consistency = consistencies[s->cassandra.consistency],
            },
        .guard = s->cassandra.guard == CONFIG_GUARD_TIMESTAMP ? RESOLVE_GUARD_TIMESTAMP
                                                              : RESOLVE_GUARD_SNAPSHOT,
        .tie =
            s->sync.tie == CONFIG_TIE_CASSANDRA ? RESOLVE_TIE_CASSANDRA : RESOLVE_TIE_ELASTICSEARCH,
        .skip_missing_rows = s->cassandra.missing_row == CONFIG_MISSING_SKIP,
        .logged_batch = s->cassandra.batch == CONFIG_BATCH_LOGGED,
        .queries = query_texts(e),
        .query_count = (uint32_t)s->cassandra.insert_queries.count,
        .ttl = (int32_t)s->cassandra.ttl,
        .overlap = s->sync.overlap,
        .overlap_us = unit ? s->sync.overlap * unit : s->sync.overlap * 1000000,
        .settle_us = s->sync.settle * 1000,
        .future_skew_us = s->sync.max_future_skew * 1000,
        .delete_settle_us = s->cassandra.delete_settle * 1000,
        .max_deletes = s->cassandra.max_deletes,
        .dead_letters_max = e->config->dead_letters_max,
        .refresh = s->es.refresh,
        .timestamp_field = slice_str(s->es.timestamp_field),
        .deleted_field = slice_str(s->es.deleted_field),
        .keep_deleted_us = s->es.keep_deleted * 1000,
        .log = e->log,
    };
    fill_map(e, &e->options.table.map);
}
