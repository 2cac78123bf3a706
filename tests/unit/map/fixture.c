#include "map/fixture.h"

#include "map/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct arena fixture_arena;

static const struct slice addr_names[] = {SLICE_LIT("street"), SLICE_LIT("zip")};
static const struct slice addr_types[] = {SLICE_LIT("text"), SLICE_LIT("int")};
static const struct slice person_names[] = {SLICE_LIT("First Name"), SLICE_LIT("home"),
                                            SLICE_LIT("tags")};
static const struct slice person_types[] = {SLICE_LIT("text"), SLICE_LIT("frozen<addr>"),
                                            SLICE_LIT("set<varint>")};
static const struct slice any_names[] = {SLICE_LIT("json")};
static const struct slice any_types[] = {SLICE_LIT("text")};
static const struct map_user_type user_types[] = {
    {SLICE_LIT("addr"), addr_names, addr_types, ARRAY_LEN(addr_names)},
    {SLICE_LIT("Per.son"), person_names, person_types, ARRAY_LEN(person_names)},
    {SLICE_LIT("caes_json"), any_names, any_types, 1},
};
const struct map_user_types fixture_user_types = {user_types, ARRAY_LEN(user_types)};

static const struct cql_type *type_of(const char *name, bool non_finite_text)
{
    struct err err = {0};
    const struct cql_type *type = cql_type_parse(slice_str(name), &fixture_arena, &err);
    if (type)
        type =
            map_user_type_resolve(type, &fixture_user_types, non_finite_text, &fixture_arena, &err);
    if (!type)
        fail_msg("%s: %s", name, err.text);
    return type;
}

const struct cql_type *fixture_type(const char *name)
{
    return *name == '~' ? type_of(name + 1, true) : type_of(name, false);
}

bool fixture_read(const char *type_name, const char *json, struct slice *cell, struct err *err)
{
    const struct cql_type *type = fixture_type(type_name);
    *err = (struct err){0};
    return map_codec_from_json(map_codec_of_column(type), type, fixture_json(json), &fixture_arena,
                               cell, err);
}

const char *fixture_write(const char *type_name, struct slice cell, struct err *err)
{
    static struct buf out;
    const struct cql_type *type = fixture_type(type_name);
    buf_clear(&out);
    *err = (struct err){0};
    return map_codec_to_json(map_codec_of_column(type), type, cell, &out, err) ? buf_cstr(&out)
                                                                               : NULL;
}

const struct json_node *fixture_json(const char *text)
{
    struct err err = {0};
    enum { DOCS = 32 };
    static struct json_doc *docs[DOCS]; /* the last ones stay readable */
    static size_t next;
    struct json_doc **doc = &docs[next++ % DOCS];
    if (!*doc)
        *doc = json_doc_new();
    if (!json_parse(*doc, arena_copy(&fixture_arena, slice_str(text)), false, &err))
        fail_msg("%s: %s", text, err.text);
    return json_root(*doc);
}

struct slice fixture_bytes(const char *hex)
{
    if (!hex)
        return SLICE_NULL;
    unsigned char *bytes = arena_alloc(&fixture_arena, strlen(hex) / 2 + 1);
    size_t len = 0;
    unsigned value;
    int taken;
    while (sscanf(hex, " %2x%n", &value, &taken) == 1) {
        bytes[len++] = (unsigned char)value;
        hex += taken;
    }
    return slice_of(bytes, len);
}

const struct map_schema *fixture_schema(const char *columns, const struct map_options *options,
                                        struct err *err)
{
    static const struct map_options none;
    struct map_table_column table[64];
    uint32_t count = 0;
    char *text = (char *)arena_copy(&fixture_arena, slice_str(columns)).ptr, *rest = text;
    int32_t positions[4] = {0};
    for (char *one; (one = strsep(&rest, ","));) {
        char name[64], type[64], kind[2] = "r";
        assert_true(sscanf(one, " %63s %63s %1s", name, type, kind) >= 2);
        struct map_table_column *c = &table[count++];
        c->name = arena_copy(&fixture_arena, slice_str(name));
        for (char *p = type; *p; p++)
            *p = *p == ';' ? ',' : *p;
        c->type = arena_copy(&fixture_arena, slice_str(type));
        c->user_types = &fixture_user_types;
        c->kind = *kind == 'p'   ? MAP_PARTITION_KEY
                  : *kind == 'c' ? MAP_CLUSTERING
                  : *kind == 's' ? MAP_STATIC
                                 : MAP_REGULAR;
        c->position = positions[c->kind]++;
    }
    /* Reversed: the order in which columns come must not matter. */
    for (uint32_t i = 0; i < count / 2; i++) {
        struct map_table_column swap = table[i];
        table[i] = table[count - 1 - i];
        table[count - 1 - i] = swap;
    }
    *err = (struct err){0};
    return map_schema_build(table, count, options ? options : &none, &fixture_arena, err);
}
