#include "base/mem.h"
#include "job/load_rows.h"
#include "source/await.h"
#include "source/scan.h"

#include <stdlib.h>

/* Whether the mapping lets no field in that a copy would not replace. */
static bool is_closed(const struct load *l, const struct json_node *mapping)
{
    const struct map_schema *schema = l->o->stores->table.schema;
    const struct json_node *dynamic = json_member(mapping, "dynamic");
    const struct json_node *fields = json_member(mapping, "properties");
    if (!dynamic || !slice_is(dynamic->text, "strict"))
        return false;
    for (const struct json_node *n = fields ? json_first(fields) : NULL; n;
         n = json_next(fields, n)) {
        bool replaced = slice_equal(n->key, l->o->stores->options->timestamp_field);
        for (uint32_t i = 0; !replaced && i < schema->column_count; i++)
            replaced = schema->columns[i].to_elasticsearch &&
                       slice_equal(n->key, schema->columns[i].field);
        if (!replaced)
            return false;
    }
    return true;
}

static bool look_at_mapping(struct load *l, struct err *err)
{
    struct buf text = {0};
    struct json_doc *doc = json_doc_new();
    const bool fine = await_es_mapping(l->o->stores->elasticsearch, &text, err) &&
                      json_parse(doc, buf_slice(&text), false, err);
    /* Of the same version only Cassandra's content would have to go over what is there. */
    const bool ties = l->o->stores->options->tie == RESOLVE_TIE_CASSANDRA;
    l->rows->direct = l->border.fresh || (fine && !ties && is_closed(l, json_root(doc)));
    json_doc_free(doc);
    buf_free(&text);
    return fine;
}

bool load_rows_open(struct load *l, struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    const struct source_scan_options options = {.times = true};
    l->rows = mem_zalloc(sizeof *l->rows);
    l->rows->scan =
        source_scan_new(stores->cassandra, &stores->table, &stores->options->table, &options, err);
    if (!l->rows->scan || l->home) {
        l->rows->direct = l->home && l->home->rows->direct;
        return l->rows->scan != NULL;
    }
    return look_at_mapping(l, err) && load_look_at_ttl(l, err);
}

void load_rows_close(struct load *l)
{
    if (!l->rows)
        return;
    source_scan_free(l->rows->scan);
    free(l->rows);
}
