#include "map/user_type.h"

#include "map/codec.h"

/* Each user-defined type is resolved once, however often it occurs: types of types of types would
 * make a tree of any size. */
struct resolver {
    const struct map_user_types *types;
    const struct cql_type **made; /* by place in types */
    int *heights;
    bool non_finite_text;
    struct arena *arena;
    struct err *err;
};

/* depth: how far down type is; *height: how far it goes down from there. NULL: failed. */
static const struct cql_type *resolve(struct resolver *r, const struct cql_type *type, int depth,
                                      int *height);

static const struct cql_type *fail(struct resolver *r, const char *what, struct slice name)
{
    err_set(r->err, ERR_SCHEMA, "%s%.*s", what, SLICE_ARG(name));
    return NULL;
}

static bool check_depth(struct resolver *r, int depth)
{
    return depth <= CQL_TYPE_DEPTH_MAX ||
           err_set(r->err, ERR_SCHEMA, "a type of more than %d levels", CQL_TYPE_DEPTH_MAX);
}

static bool resolve_elements(struct resolver *r, struct cql_type *to,
                             const struct cql_type *const *from, int depth, int *height)
{
    const struct cql_type **elements =
        arena_alloc(r->arena, (to->element_count + (size_t)1) * sizeof *elements);
    for (uint32_t i = 0; i < to->element_count; i++) {
        int below = 0;
        elements[i] = resolve(r, from[i], depth + 1, &below);
        if (!elements[i])
            return false;
        *height = below + 1 > *height ? below + 1 : *height;
    }
    to->elements = elements;
    return true;
}

static struct cql_type *resolve_fields(struct resolver *r, const struct cql_type *type,
                                       const struct map_user_type *from, int depth, int *height)
{
    struct cql_type *to = arena_alloc(r->arena, sizeof *to);
    *to = *type;
    to->name = arena_copy(r->arena, type->name);
    to->element_count = from->field_count;
    struct slice *names = arena_alloc(r->arena, (from->field_count + (size_t)1) * sizeof *names);
    const struct cql_type **parsed =
        arena_alloc(r->arena, (from->field_count + (size_t)1) * sizeof *parsed);
    for (uint32_t i = 0; i < from->field_count; i++) {
        names[i] = arena_copy(r->arena, from->field_names[i]);
        parsed[i] = cql_type_parse(from->field_types[i], r->arena, r->err);
        if (!parsed[i])
            return NULL;
    }
    to->field_names = names;
    return resolve_elements(r, to, parsed, depth, height) ? to : NULL;
}

static const struct cql_type *resolve_named(struct resolver *r, const struct cql_type *type,
                                            int depth, int *height)
{
    uint32_t i = 0;
    while (r->types && i < r->types->count && !slice_equal(r->types->items[i].name, type->name))
        i++;
    if (!r->types || i == r->types->count)
        return fail(r, "there is no type ", type->name);
    if (!r->made[i]) {
        r->made[i] = resolve_fields(r, type, &r->types->items[i], depth, &r->heights[i]);
        if (!r->made[i]) {
            err_context(r->err, "type %.*s", SLICE_ARG(type->name));
            return NULL;
        }
    }
    *height = r->heights[i];
    if (!check_depth(r, depth + *height))
        return NULL;
    if (r->made[i]->frozen == type->frozen)
        return r->made[i];
    struct cql_type *other = arena_alloc(r->arena, sizeof *other);
    *other = *r->made[i];
    other->frozen = type->frozen;
    return other;
}

static const struct cql_type *resolve(struct resolver *r, const struct cql_type *type, int depth,
                                      int *height)
{
    if (!check_depth(r, depth))
        return NULL;
    if (type->id == CQL_UDT)
        return resolve_named(r, type, depth, height);
    if (!map_codec_find(type->id)) {
        struct buf name = {0};
        cql_type_append(&name, type);
        err_set(r->err, ERR_SCHEMA,
                "type %s can't be mapped; exclude the column in ElasticSearchConfig and "
                "CassandraConfig",
                buf_cstr(&name));
        buf_free(&name);
        return NULL;
    }
    struct cql_type *to = arena_alloc(r->arena, sizeof *to);
    *to = *type;
    to->non_finite_text = r->non_finite_text;
    return resolve_elements(r, to, type->elements, depth, height) ? to : NULL;
}

const struct cql_type *map_user_type_resolve(const struct cql_type *type,
                                             const struct map_user_types *types,
                                             bool non_finite_text, struct arena *arena,
                                             struct err *err)
{
    const size_t count = types ? types->count : 0;
    struct resolver r = {.types = types,
                         .made = arena_zalloc(arena, (count + 1) * sizeof *r.made),
                         .heights = arena_zalloc(arena, (count + 1) * sizeof *r.heights),
                         .non_finite_text = non_finite_text,
                         .arena = arena,
                         .err = err};
    int height = 0;
    return resolve(&r, type, 1, &height);
}
