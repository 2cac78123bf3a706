#include "job/filter.h"
#include "job/load_internal.h"
#include "source/identity.h"

#include <stdio.h>

/* Whether a load that is taken up again is still the same one: its stores, and the configuration
 * that says what is copied and at which version. */

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* In one text, each part with its end. */
static void append_configuration(const struct job_stores *stores, struct buf *out)
{
    const struct map_schema *schema = stores->table.schema;
    const struct pipeline_options *o = stores->options;
    for (uint32_t i = 0; i < schema->key_count; i++)
        buf_printf(out, "key %.*s %d\n", SLICE_ARG(schema->keys[i].name),
                   (int)schema->keys[i].type->id);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const struct map_column *c = &schema->columns[i];
        buf_printf(out, "%.*s=%.*s %d %d%d\n", SLICE_ARG(c->field), SLICE_ARG(c->name),
                   (int)c->type->id, c->to_elasticsearch, c->to_cassandra);
    }
    buf_printf(out, "unit %lld\nversion %s\nttl %.*s\n", (long long)o->table.unit_us,
               text_of(o->table.version_column), SLICE_ARG(schema->ttl_field));
    /* What the numbers of a part mean. */
    buf_printf(out, "feeds %d\n", es_client_version(stores->elasticsearch)->sequence_numbers);
    buf_printf(out, "fields %.*s %.*s\nguard %d %d\n", SLICE_ARG(o->timestamp_field),
               SLICE_ARG(o->deleted_field), (int)o->guard, (int)o->tie);
}

bool load_stores(const struct load *l, char out[STORE_STORES_MAX], struct err *err)
{
    const struct job_stores *stores = l->o->stores;
    char identity[SOURCE_IDENTITY_MAX];
    struct buf text = {0};
    if (!source_identity(stores->cassandra, stores->elasticsearch, &stores->options->table,
                         identity, err))
        return false;
    append_configuration(stores, &text);
    snprintf(out, STORE_STORES_MAX, "%.70s %016llx", identity,
             (unsigned long long)job_filter_hash(buf_slice(&text)));
    buf_free(&text);
    return true;
}

/* The hash is the last word. */
static size_t identity_len(const char *stores)
{
    const char *end = strrchr(stores, ' ');
    return end ? (size_t)(end - stores) : 0;
}

void load_stores_alone(struct store_load *load)
{
    load->stores[identity_len(load->stores)] = '\0';
}

const char *load_differs(const struct store_load *before, const struct store_load *now)
{
    const size_t len = identity_len(now->stores);
    if (identity_len(before->stores) != len || memcmp(before->stores, now->stores, len) != 0)
        return "the table or the index is another one by now";
    if (strcmp(before->stores, now->stores) != 0)
        return "columns or configuration (versionUnit, versionColumn, guard, ...) have changed";
    return NULL;
}
