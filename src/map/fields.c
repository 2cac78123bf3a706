#include "map/fields.h"

#include <xxhash.h>

struct entry {
    struct slice field; /* null: free */
    int32_t what;
};

struct map_fields {
    struct entry *entries;
    uint32_t mask;
};

/* Where field is, or the free place for it: at most half of the places are taken. */
static struct entry *locate(const struct map_fields *f, struct slice field)
{
    uint32_t at = (uint32_t)XXH3_64bits(field.ptr, field.len) & f->mask;
    while (f->entries[at].field.ptr && !slice_equal(f->entries[at].field, field))
        at = (at + 1) & f->mask;
    return &f->entries[at];
}

static bool add(struct map_fields *f, struct slice field, int32_t what)
{
    struct entry *entry = locate(f, field);
    if (entry->field.ptr)
        return false;
    *entry = (struct entry){field, what};
    return true;
}

const struct map_fields *map_fields_build(const struct map_column *columns, uint32_t count,
                                          const struct map_options *options, struct arena *arena,
                                          struct err *err)
{
    struct map_fields *f = arena_zalloc(arena, sizeof *f);
    uint32_t size = 8;
    while (size < 2 * (count + 3))
        size *= 2;
    f->mask = size - 1;
    f->entries = arena_zalloc(arena, size * sizeof *f->entries);
    if (options->timestamp_field.ptr)
        add(f, arena_copy(arena, options->timestamp_field), MAP_FIELD_TIMESTAMP);
    if (options->deleted_field.ptr)
        add(f, arena_copy(arena, options->deleted_field), MAP_FIELD_DELETED);
    if (options->ttl_field.ptr)
        add(f, arena_copy(arena, options->ttl_field), MAP_FIELD_TTL);
    for (uint32_t i = 0; i < count; i++) {
        if (!add(f, columns[i].field, (int32_t)i)) {
            err_set(err, ERR_SCHEMA,
                    "column \"%.*s\": another column has the field \"%.*s\" too; give one of them "
                    "another with rename, or exclude it on both sides",
                    SLICE_ARG(columns[i].name), SLICE_ARG(columns[i].field));
            return NULL;
        }
    }
    return f;
}

int32_t map_fields_find(const struct map_fields *fields, struct slice field)
{
    const struct entry *entry = locate(fields, field);
    return entry->field.ptr ? entry->what : MAP_FIELD_UNKNOWN;
}
