// layer: map
#include "map/codec.h"
#include "map/codec_any.h"
#include "map/normal.h"
#include "map/order.h"
#include "map/user_type.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static const struct cql_type *type_of(const char *text, struct arena *arena)
{
    static const struct slice addr_names[] = {SLICE_LIT("street"), SLICE_LIT("zip")},
                              addr_types[] = {SLICE_LIT("text"), SLICE_LIT("varint")},
                              deep_names[] = {SLICE_LIT("a"), SLICE_LIT("b")},
                              deep_types[] = {SLICE_LIT("frozen<addr>"),
                                              SLICE_LIT("map<decimal, frozen<set<addr>>>")},
                              any_names[] = {SLICE_LIT("json")}, any_types[] = {SLICE_LIT("text")};
    static const struct map_user_type items[] = {{SLICE_LIT("addr"), addr_names, addr_types, 2},
                                                 {SLICE_LIT("deep"), deep_names, deep_types, 2},
                                                 {SLICE_LIT("caes_json"), any_names, any_types, 1}};
    static const struct map_user_types types = {items, 3};
    struct err err = {0};
    const struct cql_type *type = cql_type_parse(slice_str(text), arena, &err);
    type = type ? map_user_type_resolve(type, &types, true, arena, &err) : NULL;
    expect(type != NULL);
    return type;
}

/* What is in its one form stays so, and is the value that it was. */
static void check_normal(const struct cql_type *type, struct slice cell, struct slice again,
                         struct arena *arena)
{
    if (map_normal_is_null(type, cell))
        return expect(slice_is_null(again));
    struct slice normal =
        map_any_is(type) ? map_any_normal(type, cell, arena) : map_normal(type, cell, arena);
    expect(slice_equal(normal, again));
    if (!slice_is_null(normal))
        expect(slice_equal(map_normal(type, normal, arena), normal));
    if (!slice_is_null(normal) && !map_any_is(type))
        expect(map_order(type, cell, cell) == 0);
}

/* The first byte picks the type, the rest is a cell: what has JSON comes back from it in its one
 * form, and that has the same JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "text",
        "ascii",
        "uuid",
        "timeuuid",
        "inet",
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "timestamp",
        "date",
        "blob",
        "varint",
        "decimal",
        "time",
        "duration",
        "counter",
        "list<int>",
        "set<varint>",
        "map<text, int>",
        "tuple<int, text>",
        "addr",
        "frozen<deep>",
        "vector<float, 2>",
        "vector<text, 2>",
        "list<frozen<deep>>",
        "map<frozen<set<float>>, frozen<list<duration>>>",
        "set<frozen<tuple<uuid, timeuuid>>>",
        "map<double, inet>",
        "frozen<caes_json>",
        "vector<frozen<set<decimal>>, 2>",
        "set<decimal>",
        "map<boolean, frozen<map<timestamp, blob>>>",
    };
    enum { COUNT = sizeof names / sizeof *names };
    static const struct cql_type *types[COUNT];
    static struct arena forever;
    static struct json_doc *doc;
    if (!doc) {
        doc = json_doc_new();
        for (int i = 0; i < COUNT; i++)
            types[i] = type_of(names[i], &forever);
    }
    if (size == 0)
        return 0;
    const struct cql_type *type = types[data[0] % COUNT];
    const struct map_codec *codec = map_codec_of_column(type);
    struct slice cell = slice_of(data + 1, size - 1), again;
    struct arena arena = {0};
    struct buf out = {0}, second = {0};
    struct err err = {0};
    map_normal(type, cell, &arena); /* any bytes will do */
    if (map_codec_to_json(codec, type, cell, &out, &err)) {
        expect(json_parse(doc, buf_slice(&out), false, &err));
        /* A server makes sure of the version of a timeuuid and of keys that differ, so what was
         * read there has them. */
        bool back = map_codec_from_json(codec, type, json_root(doc), &arena, &again, &err);
        expect(back || strstr(err.text, "timeuuid") || strstr(err.text, "two entries of a map"));
        if (back) {
            check_normal(type, cell, again, &arena);
            expect(slice_is_null(again) || map_codec_to_json(codec, type, again, &second, &err));
        }
    } else {
        expect((err.code == ERR_VALUE || err.code == ERR_SCHEMA || err.code == ERR_TOO_LARGE) &&
               err.text[0]);
    }
    buf_clear(&out);
    if (codec->to_text && map_codec_to_text(codec, type, cell, &out, &err) &&
        type->id != CQL_TIMEUUID) {
        expect(codec->from_text(type, buf_slice(&out), &arena, &again, &err));
        expect(slice_equal(map_normal(type, cell, &arena), again));
    }
    buf_free(&out);
    buf_free(&second);
    arena_free(&arena);
    return 0;
}
