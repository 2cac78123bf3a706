#include "source/user_types.h"

#include "map/parts.h"
#include "source/await.h"

struct listing {
    struct arena *arena;
    struct map_user_type *items;
    uint32_t count, capacity;
    bool broken;
};

/* The elements of a list<text>, copied. */
static const struct slice *read_texts(struct listing *l, struct slice cell, uint32_t *count)
{
    static const struct cql_type text = {.id = CQL_VARCHAR};
    static const struct cql_type *const elements[] = {&text};
    static const struct cql_type list = {.id = CQL_LIST, .elements = elements, .element_count = 1};
    struct map_parts parts;
    if (!map_parts_open(&parts, &list, cell, NULL) || parts.count > cell.len / 4)
        return NULL;
    struct slice *texts = arena_alloc(l->arena, (parts.count + (size_t)1) * sizeof *texts);
    for (uint32_t i = 0; i < parts.count; i++) {
        if (!map_parts_next(&parts, &texts[i], NULL))
            return NULL;
        texts[i] = arena_copy(l->arena, texts[i]);
    }
    *count = parts.count;
    return texts;
}

static bool add_type(void *ctx, const struct slice *cells, uint32_t count)
{
    struct listing *l = ctx;
    uint32_t names = 0, types = 0;
    if (count < 3)
        return false;
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 16;
        struct map_user_type *grown = arena_alloc(l->arena, l->capacity * sizeof *grown);
        if (l->count)
            memcpy(grown, l->items, l->count * sizeof *grown);
        l->items = grown;
    }
    struct map_user_type *type = &l->items[l->count++];
    *type = (struct map_user_type){.name = arena_copy(l->arena, cells[0])};
    type->field_names = read_texts(l, cells[1], &names);
    type->field_types = read_texts(l, cells[2], &types);
    type->field_count = names;
    l->broken = !type->field_names || !type->field_types || names != types;
    return !l->broken;
}

bool source_user_types(struct cql_client *client, const char *keyspace, struct arena *arena,
                       const struct map_user_types **types, struct err *err)
{
    struct listing l = {.arena = arena};
    const struct cql_value value = cql_value_of(slice_str(keyspace));
    const struct cql_statement statement = {
        .text = SLICE_LIT("SELECT type_name, field_names, field_types FROM system_schema.types "
                          "WHERE keyspace_name = ?"),
        .values = &value,
        .value_count = 1,
    };
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE, .page_size = 1000};
    if (!await_cql_rows(client, &statement, &execution, add_type, &l, err))
        return err_context(err, "reading the types of keyspace %s", keyspace);
    if (l.broken)
        return err_set(err, ERR_PROTOCOL, "cassandra's types of keyspace %s can't be read",
                       keyspace);
    struct map_user_types *made = arena_alloc(arena, sizeof *made);
    *made = (struct map_user_types){l.items, l.count};
    *types = made;
    return true;
}

static bool names_one(const struct cql_type *type)
{
    bool found = type->id == CQL_UDT;
    for (uint32_t i = 0; !found && i < type->element_count; i++)
        found = names_one(type->elements[i]);
    return found;
}

bool source_is_user_type(struct slice type)
{
    struct arena scratch = {0};
    const struct cql_type *parsed = cql_type_parse(type, &scratch, NULL);
    const bool found = parsed && names_one(parsed);
    arena_free(&scratch);
    return found;
}
