#include "cql/prepared.h"

/* Beyond it new shapes are not kept: their rows come with metadata each time. */
enum { SHAPES_MAX = 256 };

void cql_registry_free(struct cql_registry *registry)
{
    arena_free(&registry->arena);
    *registry = (struct cql_registry){0};
}

/* A program has some tens of statements, so lists are enough. */
struct cql_prepared *cql_registry_add(struct cql_registry *registry, struct slice text)
{
    for (struct cql_prepared *p = registry->first; p; p = p->next)
        if (slice_equal(p->text, text))
            return p;
    struct cql_prepared *prepared = arena_zalloc(&registry->arena, sizeof *prepared);
    prepared->text = arena_copy(&registry->arena, text);
    prepared->next = registry->first;
    registry->first = prepared;
    return prepared;
}

struct cql_prepared *cql_registry_find(struct cql_registry *registry, struct slice id)
{
    for (struct cql_prepared *p = registry->first; p; p = p->next)
        if (slice_equal(p->id, id))
            return p;
    return NULL;
}

static bool type_equal(const struct cql_type *a, const struct cql_type *b)
{
    if (a->id != b->id || a->element_count != b->element_count || a->dimensions != b->dimensions ||
        !slice_equal(a->keyspace, b->keyspace) || !slice_equal(a->name, b->name))
        return false;
    for (uint32_t i = 0; i < a->element_count; i++) {
        if (!type_equal(a->elements[i], b->elements[i]))
            return false;
        if (a->id == CQL_UDT && !slice_equal(a->field_names[i], b->field_names[i]))
            return false;
    }
    return true;
}

static bool metadata_equal(const struct cql_metadata *a, const struct cql_metadata *b)
{
    if (a->count != b->count || a->key_count != b->key_count)
        return false;
    for (uint32_t i = 0; i < a->key_count; i++)
        if (a->key_indexes[i] != b->key_indexes[i])
            return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct cql_column *x = &a->columns[i], *y = &b->columns[i];
        if (!slice_equal(x->keyspace, y->keyspace) || !slice_equal(x->table, y->table) ||
            !slice_equal(x->name, y->name) || !type_equal(x->type, y->type))
            return false;
    }
    return true;
}

static bool types_conflict(const struct cql_metadata *a, const struct cql_metadata *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        if (slice_equal(a->columns[i].name, b->columns[i].name) &&
            !type_equal(a->columns[i].type, b->columns[i].type))
            return true;
    }
    return false;
}

bool cql_prepared_fits(const struct cql_prepared *prepared,
                       const struct cql_preparation *preparation)
{
    if (slice_is_null(prepared->id))
        return true;
    return metadata_equal(&prepared->binds, &preparation->binds) &&
           !types_conflict(&prepared->columns->metadata, &preparation->columns);
}

static const struct cql_type *copy_type(struct arena *arena, const struct cql_type *type)
{
    struct cql_type *copy = arena_alloc(arena, sizeof *copy);
    *copy = *type;
    copy->keyspace = arena_copy(arena, type->keyspace);
    copy->name = arena_copy(arena, type->name);
    const struct cql_type **elements = arena_alloc(arena, type->element_count * sizeof *elements);
    struct slice *fields = NULL;
    if (type->field_names)
        fields = arena_alloc(arena, type->element_count * sizeof *fields);
    for (uint32_t i = 0; i < type->element_count; i++) {
        elements[i] = copy_type(arena, type->elements[i]);
        if (fields)
            fields[i] = arena_copy(arena, type->field_names[i]);
    }
    copy->elements = elements;
    copy->field_names = fields;
    return copy;
}

static struct cql_metadata copy_metadata(struct arena *arena, const struct cql_metadata *metadata)
{
    struct cql_metadata copy = *metadata;
    struct cql_column *columns = arena_alloc(arena, metadata->count * sizeof *columns);
    for (uint32_t i = 0; i < metadata->count; i++) {
        const struct cql_column *from = &metadata->columns[i];
        columns[i] = (struct cql_column){
            .keyspace = arena_copy(arena, from->keyspace),
            .table = arena_copy(arena, from->table),
            .name = arena_copy(arena, from->name),
            .type = copy_type(arena, from->type),
        };
    }
    copy.columns = columns;
    uint16_t *keys = arena_alloc(arena, metadata->key_count * sizeof *keys);
    if (metadata->key_count > 0)
        memcpy(keys, metadata->key_indexes, metadata->key_count * sizeof *keys);
    copy.key_indexes = keys;
    return copy;
}

void cql_prepared_update(struct cql_registry *registry, struct cql_prepared *prepared,
                         const struct cql_preparation *preparation)
{
    if (!slice_equal(prepared->id, preparation->id))
        prepared->id = arena_copy(&registry->arena, preparation->id);
    if (!metadata_equal(&prepared->binds, &preparation->binds))
        prepared->binds = copy_metadata(&registry->arena, &preparation->binds);
    cql_prepared_reshape(registry, prepared, preparation->result_id, &preparation->columns);
}

void cql_prepared_reshape(struct cql_registry *registry, struct cql_prepared *prepared,
                          struct slice id, const struct cql_metadata *columns)
{
    for (struct cql_shape *shape = prepared->shapes; shape; shape = shape->older) {
        if (slice_equal(shape->id, id) && metadata_equal(&shape->metadata, columns)) {
            prepared->columns = shape;
            return;
        }
    }
    if (prepared->shape_count >= SHAPES_MAX)
        return;
    struct cql_shape *shape = arena_alloc(&registry->arena, sizeof *shape);
    shape->id = arena_copy(&registry->arena, id);
    shape->metadata = copy_metadata(&registry->arena, columns);
    shape->older = prepared->shapes;
    prepared->shapes = shape;
    prepared->shape_count++;
    prepared->columns = shape;
}
