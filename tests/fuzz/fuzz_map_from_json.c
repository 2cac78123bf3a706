// layer: map
#include "map/convert.h"

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
    static const char *const types[] = {
        "text",     "ascii",  "uuid",    "timeuuid", "inet",     "boolean",   "tinyint",
        "smallint", "int",    "bigint",  "float",    "double",   "timestamp", "date",
        "blob",     "varint", "decimal", "time",     "duration",
    };
    enum { COUNT = sizeof types / sizeof *types };
    static struct arena arena;
    static const struct map_schema *built;
    struct map_table_column columns[COUNT + 1] = {
        {SLICE_LIT("id"), SLICE_LIT("text"), MAP_PARTITION_KEY, 0}};
    struct map_options options = {.timestamp_field = SLICE_LIT("ts")};
    struct err err;
    /* Fields have the names of their types; those without a codec yet are left out. */
    for (uint32_t i = 0, used = 1; !built && i < COUNT; i++) {
        columns[used] =
            (struct map_table_column){slice_str(types[i]), slice_str(types[i]), MAP_REGULAR, -1};
        const struct map_schema *s = map_schema_build(columns, used + 1, &options, &arena, &err);
        used += s != NULL;
        if (i + 1 == COUNT)
            built = map_schema_build(columns, used, &options, &arena, &err);
    }
    expect(built != NULL);
    return built;
}

/* JSON to cells to JSON to cells: the cells are the same, and so is the second JSON. The text as
 * an _id is a key only when it is that key's own text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_doc *doc, *again;
    enum { CELLS = 32 };
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
