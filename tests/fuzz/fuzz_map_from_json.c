// layer: map
#include "map/convert.h"
#include "map/user_type.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

static const struct map_schema *schema(void)
{
    static const struct {
        const char *name, *type;
    } columns_of[] = {
        {"text", "text"},
        {"ascii", "ascii"},
        {"uuid", "uuid"},
        {"timeuuid", "timeuuid"},
        {"inet", "inet"},
        {"boolean", "boolean"},
        {"tinyint", "tinyint"},
        {"smallint", "smallint"},
        {"int", "int"},
        {"bigint", "bigint"},
        {"float", "float"},
        {"double", "double"},
        {"timestamp", "timestamp"},
        {"date", "date"},
        {"blob", "blob"},
        {"varint", "varint"},
        {"decimal", "decimal"},
        {"time", "time"},
        {"duration", "duration"},
        {"l", "list<int>"},
        {"s", "set<varint>"},
        {"m", "map<decimal, int>"},
        {"n", "map<frozen<set<float>>, frozen<list<duration>>>"},
        {"t", "tuple<int, text>"},
        {"a", "addr"},
        {"d", "frozen<deep>"},
        {"v", "vector<float, 2>"},
        {"w", "vector<text, 2>"},
        {"j", "frozen<caes_json>"},
        {"e", "set<frozen<tuple<decimal, timeuuid>>>"},
    };
    enum { COUNT = sizeof columns_of / sizeof *columns_of };
    static const struct slice addr_names[] = {SLICE_LIT("street"), SLICE_LIT("zip")},
                              addr_types[] = {SLICE_LIT("text"), SLICE_LIT("varint")},
                              deep_names[] = {SLICE_LIT("a"), SLICE_LIT("b")},
                              deep_types[] = {SLICE_LIT("frozen<addr>"),
                                              SLICE_LIT("map<text, frozen<set<addr>>>")},
                              any_names[] = {SLICE_LIT("json")}, any_types[] = {SLICE_LIT("text")};
    static const struct map_user_type items[] = {{SLICE_LIT("addr"), addr_names, addr_types, 2},
                                                 {SLICE_LIT("deep"), deep_names, deep_types, 2},
                                                 {SLICE_LIT("caes_json"), any_names, any_types, 1}};
    static const struct map_user_types types = {items, 3};
    static struct arena arena;
    static const struct map_schema *built;
    struct map_table_column columns[COUNT + 1] = {
        {.name = SLICE_LIT("id"), .type = SLICE_LIT("text"), .kind = MAP_PARTITION_KEY}};
    struct map_options options = {.timestamp_field = SLICE_LIT("ts"), .non_finite_text = true};
    struct err err;
    for (uint32_t i = 0; !built && i < COUNT; i++)
        columns[i + 1] = (struct map_table_column){.name = slice_str(columns_of[i].name),
                                                   .type = slice_str(columns_of[i].type),
                                                   .kind = MAP_REGULAR,
                                                   .position = -1,
                                                   .user_types = &types};
    if (!built)
        built = map_schema_build(columns, COUNT + 1, &options, &arena, &err);
    expect(built != NULL);
    return built;
}

/* JSON to cells to JSON to cells: the cells are the same, and so is the second JSON. The text as
 * an _id is a key only when it is that key's own text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc, *again;
    enum { CELLS = 48 };
    if (!doc) {
        doc = json_doc_new();
        again = json_doc_new();
    }
    const struct map_schema *s = schema();
    struct err err = {0};
    struct arena arena = {0};
    struct slice cells[CELLS], more[CELLS], key;
    bool extra;
    struct buf out = {0}, second = {0};
    if (json_parse(doc, slice_of(data, size), false, &err) &&
        map_document_cells(s, json_root(doc), cells, &extra, &arena, &err)) {
        expect(map_document_render(s, cells, SLICE_LIT("ts"), 5, json_root(doc), &out, &err));
        expect(!memchr(out.ptr, '\n', out.len));
        expect(json_parse(again, buf_slice(&out), false, &err));
        expect(map_document_cells(s, json_root(again), more, &extra, &arena, &err));
        for (uint32_t i = 0; i < s->column_count; i++)
            expect(slice_equal(cells[i], more[i]));
        map_row_normalise(s, more, &arena);
        for (uint32_t i = 0; i < s->column_count; i++)
            expect(slice_equal(cells[i], more[i]));
        expect(map_document_render(s, more, SLICE_LIT("ts"), 5, json_root(again), &second, &err));
        expect(slice_equal(buf_slice(&out), buf_slice(&second)));
    } else {
        expect(err.code == ERR_VALUE || err.code == ERR_TOO_LARGE);
        expect(json_utf8_valid(slice_str(err.text)) || strlen(err.text) == ERR_TEXT_MAX - 1);
    }
    buf_clear(&out);
    if (map_key_parse(s, slice_of(data, size), &key, &arena, &err)) {
        expect(map_key_text(s, &key, &out, &err));
        expect(slice_equal(buf_slice(&out), slice_of(data, size)));
    }
    buf_free(&out);
    buf_free(&second);
    arena_free(&arena);
    return 0;
}
