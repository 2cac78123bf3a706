// layer: cql
// Types in their three forms: option, class, CQL. What was read must be spelled in a form that
// reads as the same.
#include "cql/type_name.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void spell_and_read(const struct cql_type *type, bool whole)
{
    struct arena arena = {0};
    struct buf text = {0}, again = {0};
    struct err err;
    cql_type_append(&text, type);
    if (whole) {
        const struct cql_type *same = cql_type_parse(buf_slice(&text), &arena, &err);
        if (!same)
            abort();
        cql_type_append(&again, same);
        if (!slice_equal(buf_slice(&text), buf_slice(&again)))
            abort();
    }
    buf_free(&text);
    buf_free(&again);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice text = slice_of(data + 1, size - 1);
    struct arena arena = {0};
    struct err err;
    const struct cql_type *type;
    switch (data[0] % 3) {
    case 0:
        type = cql_type_decode(&text, &arena, &err);
        break;
    case 1:
        type = cql_type_parse_class(text, &arena, &err);
        break;
    default:
        type = cql_type_parse(text, &arena, &err);
    }
    if (type)
        spell_and_read(type, data[0] % 3 == 2);
    arena_free(&arena);
    return 0;
}
