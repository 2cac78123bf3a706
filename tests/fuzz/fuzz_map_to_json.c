// layer: map
#include "map/codec.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

/* The first byte picks the type, the rest is a cell: what has JSON comes back from it, in the same
 * bytes where the type has one form only. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum cql_type_id ids[] = {
        CQL_VARCHAR, CQL_ASCII,   CQL_UUID,      CQL_TIMEUUID, CQL_INET,
        CQL_BOOLEAN, CQL_TINYINT, CQL_SMALLINT,  CQL_INT,      CQL_BIGINT,
        CQL_FLOAT,   CQL_DOUBLE,  CQL_TIMESTAMP, CQL_DATE,     CQL_BLOB,
        CQL_VARINT,  CQL_DECIMAL, CQL_TIME,      CQL_DURATION,
    };
    static struct json_doc *doc;
    if (!doc)
        doc = json_doc_new();
    if (size == 0)
        return 0;
    struct cql_type type = {.id = ids[data[0] % (sizeof ids / sizeof *ids)]};
    const struct map_codec *codec = map_codec_find(type.id);
    if (!codec)
        return 0;
    struct slice cell = slice_of(data + 1, size - 1), again;
    struct arena arena = {0};
    struct buf out = {0}, second = {0};
    struct err err = {0};
    if (map_codec_to_json(codec, &type, cell, &out, &err)) {
        expect(json_parse(doc, buf_slice(&out), false, &err));
        /* A server makes sure of the version of a timeuuid, a cell that was read has it. */
        bool back = map_codec_from_json(codec, &type, json_root(doc), &arena, &again, &err);
        expect(back || type.id == CQL_TIMEUUID);
        if (back) {
            expect(codec->many || slice_equal(cell, again));
            expect(map_codec_to_json(codec, &type, again, &second, &err));
            expect(slice_equal(buf_slice(&out), buf_slice(&second)));
        }
    } else {
        expect(err.code == ERR_VALUE && err.text[0]);
    }
    buf_clear(&out);
    if (codec->to_text && map_codec_to_text(codec, &type, cell, &out, &err) &&
        type.id != CQL_TIMEUUID) {
        expect(codec->from_text(&type, buf_slice(&out), &arena, &again, &err));
        expect(codec->many || slice_equal(cell, again));
    }
    buf_free(&out);
    buf_free(&second);
    arena_free(&arena);
    return 0;
}
