// layer: cql
// What a hostile server could send: the first byte chooses version and compression, the rest is the
// stream, cut at places that the input chooses too. All that comes out is decoded and walked.
#include "cql/answer.h"
#include "cql/crc.h"
#include "cql/error.h"
#include "cql/handshake.h"
#include "cql/inbound.h"
#include "cql/prepared.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned char sink;

static void touch(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        sink ^= (unsigned char)s.ptr[i];
}

static void walk_rows(const struct cql_result *result)
{
    struct slice *cells = calloc(result->columns->count + 1, sizeof *cells);
    uint32_t rows = 0;
    for (struct cql_cursor c = cql_rows(result); cql_next(&c, cells); rows++)
        for (uint32_t i = 0; i < result->columns->count; i++)
            touch(cells[i]);
    if (rows != result->row_count)
        abort();
    touch(result->paging_state);
    free(cells);
}

static void decode_result(struct cql_reader message, const struct cql_metadata *known)
{
    struct arena arena = {0};
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id;
    struct err err;
    if (cql_answer_result(message, known, &arena, &columns, &result, &new_id, &err)) {
        walk_rows(&result);
        struct buf text = {0};
        for (uint32_t i = 0; i < result.columns->count && result.columns != known; i++)
            cql_type_append(&text, result.columns->columns[i].type);
        touch(buf_slice(&text));
        touch(new_id);
        buf_free(&text);
    }
    arena_free(&arena);
}

static void decode_prepared(struct cql_reader message, int version)
{
    struct arena arena = {0};
    struct cql_registry registry = {0};
    struct cql_preparation preparation = {0};
    struct err err;
    if (cql_answer_prepared(message, version, &arena, &preparation, &err)) {
        struct cql_prepared *prepared = cql_registry_add(&registry, SLICE_LIT("q"));
        cql_prepared_update(&registry, prepared, &preparation);
        arena_free(&arena);
        if (!prepared->columns || prepared->binds.count != preparation.binds.count)
            abort();
        for (uint32_t i = 0; i < prepared->binds.key_count; i++)
            touch(prepared->binds.columns[prepared->binds.key_indexes[i]].name);
    }
    arena_free(&arena);
    cql_registry_free(&registry);
}

static void decode_in_handshake(const struct cql_frame *frame)
{
    for (int step = CQL_HANDSHAKE_OPTIONS; step < CQL_HANDSHAKE_READY; step++) {
        struct cql_handshake handshake = {
            .version = 5, .compression = true, .username = "u", .step = step};
        struct err err;
        if (cql_handshake_answer(&handshake, frame, &err))
            touch(slice_str(handshake.datacenter));
    }
}

static void decode(const struct cql_frame *frame)
{
    static const struct cql_metadata two = {.count = 2};
    struct cql_reader message;
    struct slice warning;
    struct err err;
    decode_in_handshake(frame);
    if (!cql_frame_open(frame, &message, &warning, &err))
        return;
    touch(warning);
    struct cql_server_error error;
    if (cql_error_decode(message, false, &error, &err))
        touch(error.prepared_id);
    struct cql_event event;
    if (cql_answer_event(message, &event, &err)) {
        touch(event.object);
        touch(event.address);
    }
    decode_result(message, NULL);
    decode_result(message, &two);
    decode_prepared(message, frame->version);
}

/* Puts right checksums where segments would have them, or nothing behind them would be reached. */
static void mend(char *bytes, size_t size, bool lz4)
{
    const size_t header = lz4 ? 5 : 3;
    for (size_t at = 0; size - at >= header + 3;) {
        const uint32_t crc = cql_crc24(slice_of(bytes + at, header));
        const size_t len = ((unsigned char)bytes[at] | (unsigned char)bytes[at + 1] << 8 |
                            (unsigned char)bytes[at + 2] << 16) &
                           CQL_SEGMENT_PAYLOAD_MAX;
        for (int i = 0; i < 3; i++)
            bytes[at + header + (size_t)i] = (char)(crc >> (8 * i));
        at += header + 3;
        if (size - at < len + 4)
            return;
        const uint32_t sum = cql_crc32(slice_of(bytes + at, len));
        for (int i = 0; i < 4; i++)
            bytes[at + len + (size_t)i] = (char)(sum >> (8 * i));
        at += len + 4;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2)
        return 0;
    char *data = malloc(size);
    memcpy(data, input, size);
    if (data[0] & 4)
        mend(data + 2, size - 2, data[0] & 2);
    struct cql_inbound inbound = {.segments = data[0] & 1, .lz4 = data[0] & 2};
    const size_t step = (size_t)input[1] * 4 + 1;
    for (size_t at = 2; at < size; at += step) {
        const size_t len = size - at < step ? size - at : step;
        size_t room;
        memcpy(cql_inbound_room(&inbound, &room), data + at, len);
        cql_inbound_added(&inbound, len);
        struct cql_frame frame;
        struct err err;
        enum cql_step done;
        while ((done = cql_inbound_next(&inbound, &frame, &err)) == CQL_STEP_DONE)
            decode(&frame);
        if (done == CQL_STEP_ERROR)
            break;
    }
    cql_inbound_free(&inbound);
    free(data);
    return 0;
}
