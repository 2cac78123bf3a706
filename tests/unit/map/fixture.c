#include "map/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct arena fixture_arena;

const struct cql_type *fixture_type(const char *name)
{
    struct err err = {0};
    const struct cql_type *type = cql_type_parse(slice_str(name), &fixture_arena, &err);
    if (!type)
        fail_msg("%s: %s", name, err.text);
    return type;
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
        c->type = arena_copy(&fixture_arena, slice_str(type));
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
