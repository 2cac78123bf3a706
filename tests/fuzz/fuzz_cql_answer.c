// layer: cql
// Bodies of answers without their frame, where a fuzzer gets deeper than behind checksums: the
// first byte chooses the decoder. Results are compared with a second decoding of what was copied.
#include "cql/answer.h"
#include "cql/error.h"
#include "cql/prepared.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prepared(struct slice body, int version)
{
    struct arena arena = {0};
    struct cql_registry registry = {0};
    struct cql_preparation p = {0};
    struct err err;
    if (cql_answer_prepared(cql_reader_of(body), version, &arena, &p, &err)) {
        struct cql_prepared *handle = cql_registry_add(&registry, SLICE_LIT("q"));
        cql_prepared_update(&registry, handle, &p);
        const struct cql_shape *first = handle->columns;
        cql_prepared_update(&registry, handle, &p);
        if (handle->columns != first || handle->shape_count != 1)
            abort();
    }
    arena_free(&arena);
    cql_registry_free(&registry);
}

static void result(struct slice body)
{
    static const struct cql_metadata one = {.count = 1};
    struct arena arena = {0};
    struct cql_metadata columns;
    struct cql_result r;
    struct slice new_id;
    struct err err;
    if (cql_answer_result(cql_reader_of(body), &one, &arena, &columns, &r, &new_id, &err)) {
        struct slice *cells = calloc(r.columns->count + 1, sizeof *cells);
        uint32_t rows = 0;
        for (struct cql_cursor c = cql_rows(&r); cql_next(&c, cells); rows++)
            for (uint32_t i = 0; i < r.columns->count; i++)
                if (cells[i].ptr &&
                    (cells[i].ptr < body.ptr || cells[i].ptr + cells[i].len > body.ptr + body.len))
                    abort();
        if (rows != r.row_count)
            abort();
        free(cells);
    } else if (err.code != ERR_PROTOCOL) {
        abort();
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct slice body = slice_of(data + 1, size - 1);
    struct cql_server_error error;
    struct cql_event event;
    struct err err;
    switch (data[0] % 5) {
    case 0:
        result(body);
        break;
    case 1:
    case 2:
        prepared(body, data[0] % 5 + 3);
        break;
    case 3:
        if (!cql_error_decode(cql_reader_of(body), false, &error, &err) && err.code != ERR_PROTOCOL)
            abort();
        break;
    default:
        if (!cql_answer_event(cql_reader_of(body), &event, &err) && err.code != ERR_PROTOCOL)
            abort();
    }
    return 0;
}
