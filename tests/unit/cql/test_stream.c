/* Checksums, segments, frames: bytes in both directions, cut at every place. */
#include "base/arena.h"
#include "cql/answer.h"
#include "cql/captured.h"
#include "cql/crc.h"
#include "cql/error.h"
#include "cql/inbound.h"
#include "cql/outbound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_checksums(void **state)
{
    (void)state;
    /* Of another implementation, itself held against segments of a real server. */
    assert_int_equal(cql_crc24(SLICE_LIT("")), 0x875060);
    assert_int_equal(cql_crc24(SLICE_LIT("\0\0\0")), 0x7DE777);
    assert_int_equal(cql_crc24(SLICE_LIT("\1\2\3\4\5")), 0x319669);
    assert_int_equal(cql_crc32(SLICE_LIT("123456789")), 0xE2A261A7);
}

/* --- inbound --- */

struct script {
    struct slice bytes;
    int version;
    bool lz4;
};

static const struct script scripts[] = {
    {{(const char *)captured_v4_lz4, sizeof captured_v4_lz4}, 4, true},
    {{(const char *)captured_v5, sizeof captured_v5}, 5, false},
    {{(const char *)captured_v5_lz4, sizeof captured_v5_lz4}, 5, true},
};

static void check_prepared(struct cql_reader message, int version)
{
    struct arena arena = {0};
    struct cql_preparation preparation;
    assert_true(cql_answer_prepared(message, version, &arena, &preparation, NULL));
    assert_int_equal(preparation.id.len, 16);
    assert_int_equal(preparation.result_id.len, version == 5 ? 16 : 0);
    assert_int_equal(preparation.binds.count, 1);
    assert_int_equal(preparation.binds.key_count, 1);
    assert_true(slice_is(preparation.binds.columns[0].name, "k"));
    assert_int_equal(preparation.columns.count, 8);
    static const char *const types[] = {"int",
                                        "text",
                                        "map<text, list<int>>",
                                        "vector<float, 3>",
                                        "addr",
                                        "tuple<int, uuid>",
                                        "set<inet>",
                                        "duration"};
    struct buf text = {0};
    for (int i = 0; i < 8; i++) {
        buf_clear(&text);
        cql_type_append(&text, preparation.columns.columns[i].type);
        assert_string_equal(buf_cstr(&text), types[i]);
    }
    const struct cql_type *addr = preparation.columns.columns[4].type;
    assert_true(slice_is(addr->keyspace, "cap"));
    assert_true(slice_is(addr->field_names[1], "nr"));
    assert_int_equal(addr->elements[1]->id, CQL_INT);
    buf_free(&text);
    arena_free(&arena);
}

static void check_rows(struct cql_reader message, uint32_t rows)
{
    struct arena arena = {0};
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id, cells[8];
    assert_true(cql_answer_result(message, NULL, &arena, &columns, &result, &new_id, NULL));
    assert_int_equal(result.row_count, rows);
    assert_int_equal(result.columns->count, 8);
    assert_int_equal(slice_is_null(result.paging_state), rows == 2);
    struct cql_cursor cursor = cql_rows(&result);
    assert_true(cql_next(&cursor, cells));
    assert_int_equal(cql_decode_int(cells[0]), 1);
    assert_true(slice_is(cells[1], "hello"));
    assert_true(slice_is_null(cells[2]));
    assert_int_equal(cells[3].len, 12);
    assert_int_equal(cql_next(&cursor, cells), rows == 2);
    if (rows == 2) {
        assert_int_equal(cql_decode_int(cells[0]), 2);
        assert_true(slice_is_null(cells[1]));
        assert_false(cql_next(&cursor, cells));
    }
    arena_free(&arena);
}

static void check_error(struct cql_reader message, int32_t code)
{
    struct cql_server_error error;
    struct err err;
    assert_true(cql_error_decode(message, false, &error, &err));
    assert_int_equal(error.code, code);
    if (code == CQL_ERROR_UNPREPARED)
        assert_true(slice_is(error.prepared_id, "xxxxxxxxxxxxxxxx"));
    else
        assert_non_null(strstr(err.text, "SELEC"));
}

static void check_frame(const struct script *script, int at, const struct cql_frame *frame)
{
    static const uint8_t opcodes[] = {CQL_OP_SUPPORTED, CQL_OP_READY,  CQL_OP_RESULT, CQL_OP_RESULT,
                                      CQL_OP_ERROR,     CQL_OP_RESULT, CQL_OP_ERROR};
    struct cql_reader message;
    struct slice warning;
    assert_int_equal(frame->version, script->version);
    assert_int_equal(frame->stream, at + 1);
    assert_int_equal(frame->opcode, opcodes[at]);
    assert_true(cql_frame_open(frame, &message, &warning, NULL));
    switch (at) {
    case 0:
        assert_true(cql_read_multimap_has(&message, "COMPRESSION", "lz4"));
        message = cql_reader_of(frame->body);
        assert_false(cql_read_multimap_has(&message, "CQL_VERSION", "lz4"));
        break;
    case 2:
        check_prepared(message, script->version);
        break;
    case 3:
    case 5:
        check_rows(message, at == 3 ? 2 : 1);
        break;
    case 4:
        check_error(message, CQL_ERROR_SYNTAX);
        break;
    case 6:
        check_error(message, CQL_ERROR_UNPREPARED);
        break;
    default:
        break;
    }
}

static void feed(struct cql_inbound *inbound, struct slice bytes)
{
    while (bytes.len > 0) {
        size_t room;
        char *at = cql_inbound_room(inbound, &room);
        const size_t len = room < bytes.len ? room : bytes.len;
        memcpy(at, bytes.ptr, len);
        cql_inbound_added(inbound, len);
        bytes = slice_of(bytes.ptr + len, bytes.len - len);
    }
}

static void drain(const struct script *script, struct cql_inbound *inbound, int *count)
{
    struct cql_frame frame;
    struct err err;
    enum cql_step step;
    while ((step = cql_inbound_next(inbound, &frame, &err)) == CQL_STEP_DONE) {
        check_frame(script, (*count)++, &frame);
        inbound->segments = script->version == 5 && *count >= 2;
        inbound->lz4 = script->lz4;
    }
    assert_int_equal(step, CQL_STEP_MORE);
}

static void test_captured_cut_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        const struct script *script = &scripts[i];
        for (size_t cut = 0; cut <= script->bytes.len; cut++) {
            struct cql_inbound inbound = {0};
            int count = 0;
            feed(&inbound, slice_of(script->bytes.ptr, cut));
            drain(script, &inbound, &count);
            feed(&inbound, slice_of(script->bytes.ptr + cut, script->bytes.len - cut));
            drain(script, &inbound, &count);
            assert_int_equal(count, 7);
            cql_inbound_free(&inbound);
        }
        struct cql_inbound inbound = {0};
        int count = 0;
        for (size_t at = 0; at < script->bytes.len; at++) {
            feed(&inbound, slice_of(script->bytes.ptr + at, 1));
            drain(script, &inbound, &count);
        }
        assert_int_equal(count, 7);
        cql_inbound_free(&inbound);
    }
}

/* Every flipped bit of v5 is found; none of v4 crashes. */
static void test_captured_with_flipped_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        const struct script *script = &scripts[i];
        char *copy = malloc(script->bytes.len);
        for (size_t at = 0; at < script->bytes.len; at++) {
            memcpy(copy, script->bytes.ptr, script->bytes.len);
            copy[at] ^= (char)(1 << (at % 8));
            struct cql_inbound inbound = {0};
            feed(&inbound, slice_of(copy, script->bytes.len));
            struct cql_frame frame;
            struct err err;
            int count = 0;
            enum cql_step step;
            size_t plain_end = 0;
            while ((step = cql_inbound_next(&inbound, &frame, &err)) == CQL_STEP_DONE) {
                count++;
                inbound.segments = script->version == 5 && count >= 2;
                inbound.lz4 = script->lz4;
                if (count == 2)
                    plain_end = inbound.taken;
            }
            if (script->version == 5 && plain_end > 0 && at >= plain_end) {
                assert_int_equal(step, CQL_STEP_ERROR);
                assert_int_equal(err.code, ERR_CONNECTION);
                assert_true(count < 7);
            }
            cql_inbound_free(&inbound);
        }
        free(copy);
    }
}

/* --- segments --- */

static void add_frame(struct buf *out, int stream, size_t len, bool random)
{
    const size_t start = cql_frame_begin(out, 5 | CQL_FRAME_ANSWER, CQL_OP_RESULT, (int16_t)stream);
    unsigned noise = (unsigned)stream + 1;
    for (size_t i = 0; i < len; i++) {
        noise = noise * 1103515245 + 12345;
        buf_append_char(out, random ? (char)(noise >> 16) : (char)stream);
    }
    cql_frame_end(out, start);
}

static void test_segments_there_and_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,      1,      100,   131062, 131063, 131071,
                                   131072, 262142, 70000, 70000,  500000, 3};
    for (int mode = 0; mode < 4; mode++) {
        const bool lz4 = mode & 1, random = mode & 2;
        struct buf frames = {0}, packed = {0};
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
            add_frame(&frames, (int)i, sizes[i], random);
        cql_segment_pack(&packed, buf_slice(&frames), lz4);
        if (lz4 && !random)
            assert_true(packed.len < frames.len / 50);
        else
            assert_true(packed.len < frames.len + 300);

        for (size_t step = 1; step < packed.len; step = step * 7 + 1000) {
            struct cql_inbound inbound = {.segments = true, .lz4 = lz4};
            size_t at = 0, count = 0, seen = 0;
            while (at < packed.len) {
                const size_t len = packed.len - at < step ? packed.len - at : step;
                feed(&inbound, slice_of(packed.ptr + at, len));
                at += len;
                struct cql_frame frame;
                struct err err;
                while (cql_inbound_next(&inbound, &frame, &err) == CQL_STEP_DONE) {
                    assert_int_equal(frame.stream, count);
                    assert_int_equal(frame.body.len, sizes[count++]);
                    seen += CQL_FRAME_HEADER;
                    assert_memory_equal(frame.body.ptr, frames.ptr + seen, frame.body.len);
                    seen += frame.body.len;
                }
            }
            assert_int_equal(count, ARRAY_LEN(sizes));
            cql_inbound_free(&inbound);
            if (step == 1 && packed.len > 100000)
                step = 5000;
        }
        buf_free(&frames);
        buf_free(&packed);
    }
}

static void test_segment_by_the_book(void **state)
{
    (void)state;
    struct buf frames = {0}, packed = {0};
    add_frame(&frames, 1, 2, false);
    add_frame(&frames, 2, 0, false);
    cql_segment_pack(&packed, buf_slice(&frames), false);
    /* 20 bytes, self-contained. */
    assert_int_equal(packed.len, 6 + 20 + 4);
    assert_memory_equal(packed.ptr, "\x14\x00\x02\xad\xc4\x29", 6);
    assert_memory_equal(packed.ptr + 6, frames.ptr, 20);
    assert_memory_equal(packed.ptr + 26, "\x7b\xb7\xcb\xd3", 4);
    buf_clear(&packed);
    cql_segment_pack(&packed, buf_slice(&frames), true);
    /* Not compressible: plain length 0 in the LZ4 form. */
    assert_int_equal(packed.len, 8 + 20 + 4);
    assert_memory_equal(packed.ptr, "\x14\x00\x00\x00\x04\x51\x74\x63", 8);
    assert_memory_equal(packed.ptr + 28, "\x7b\xb7\xcb\xd3", 4);
    buf_free(&frames);
    buf_free(&packed);
}

static void test_segments_are_filled(void **state)
{
    (void)state;
    static const size_t room = CQL_SEGMENT_PAYLOAD_MAX - 2 * CQL_FRAME_HEADER;
    for (size_t more = 0; more < 2; more++) {
        struct buf frames = {0}, packed = {0};
        add_frame(&frames, 1, 1000, true);
        add_frame(&frames, 2, room - 1000 + more, true);
        cql_segment_pack(&packed, buf_slice(&frames), false);
        assert_int_equal(packed.len - frames.len, 10 * (1 + more));
        buf_free(&frames);
        buf_free(&packed);
    }
}

static enum err_code error_of(struct buf *bytes, bool segments, bool lz4)
{
    struct cql_inbound inbound = {.segments = segments, .lz4 = lz4};
    feed(&inbound, buf_slice(bytes));
    struct cql_frame frame;
    struct err err = {0};
    enum cql_step step;
    while ((step = cql_inbound_next(&inbound, &frame, &err)) == CQL_STEP_DONE)
        ;
    cql_inbound_free(&inbound);
    buf_clear(bytes);
    return step == CQL_STEP_ERROR ? err.code : ERR_NONE;
}

/* A segment of any payload, with right checksums. */
static void add_segment(struct buf *out, struct slice payload, bool self_contained)
{
    const char header[3] = {(char)payload.len, (char)(payload.len >> 8),
                            (char)(self_contained << 1)};
    const uint32_t crc = cql_crc24(slice_of(header, 3)), sum = cql_crc32(payload);
    buf_append(out, header, 3);
    for (int i = 0; i < 3; i++)
        buf_append_char(out, (char)(crc >> (8 * i)));
    buf_append_slice(out, payload);
    for (int i = 0; i < 4; i++)
        buf_append_char(out, (char)(sum >> (8 * i)));
}

static void test_impossible_streams(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_append(&b, "\x85\0\0\1\x08\x10\0\0\1", 9); /* beyond 256 MiB */
    assert_int_equal(error_of(&b, false, false), ERR_PROTOCOL);
    buf_append(&b, "\x05\0\0\1\x08\0\0\0\0", 9); /* a request */
    assert_int_equal(error_of(&b, false, false), ERR_PROTOCOL);
    buf_append(&b, "\x82\0\0\1\x08\0\0\0\0", 9); /* another time */
    assert_int_equal(error_of(&b, false, false), ERR_PROTOCOL);
    /* v4 with LZ4: no length, one that can't be, one that is wrong */
    buf_append(&b, "\x84\1\0\1\x08\0\0\0\2\0\0", 11);
    assert_int_equal(error_of(&b, false, true), ERR_PROTOCOL);
    buf_append(&b, "\x84\1\0\1\x08\0\0\0\6\0\x10\0\0xx", 15);
    assert_int_equal(error_of(&b, false, true), ERR_PROTOCOL);
    struct cql_inbound inbound = {0}; /* no room is made for what two bytes can't become */
    feed(&inbound, SLICE_LIT("\x84\1\0\1\x08\0\0\0\6\0\x10\0\0xx"));
    struct cql_frame frame;
    assert_int_equal(cql_inbound_next(&inbound, &frame, NULL), CQL_STEP_ERROR);
    assert_int_equal(inbound.plain.cap, 0);
    cql_inbound_free(&inbound);
    buf_append(&b, "\x84\1\0\1\x08\0\0\0\6\0\0\0\7xx", 15);
    assert_int_equal(error_of(&b, false, true), ERR_PROTOCOL);
    buf_append(&b, "\x84\1\0\1\x08\0\0\0\4\0\0\0\0", 13); /* empty is fine */
    assert_int_equal(error_of(&b, false, true), ERR_NONE);
    /* Segments that end, or go on, where no frame does. */
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08"), true);
    assert_int_equal(error_of(&b, true, false), ERR_PROTOCOL);
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08\0\0\0\1xy"), false);
    assert_int_equal(error_of(&b, true, false), ERR_PROTOCOL);
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08\0\0\0\2x"), false);
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08\0\0\0\0"), true);
    assert_int_equal(error_of(&b, true, false), ERR_PROTOCOL);
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08\x7f\0\0\2x"), false);
    assert_int_equal(error_of(&b, true, false), ERR_PROTOCOL);
    add_segment(&b, SLICE_LIT(""), true);
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08\0\0\0\2x"), false);
    add_segment(&b, SLICE_LIT("y"), false);
    add_segment(&b, SLICE_LIT("\x85\0\0\1\x08\0\0\0\0"), true);
    assert_int_equal(error_of(&b, true, false), ERR_NONE);
    buf_free(&b);
}

static void test_v4_compression(void **state)
{
    (void)state;
    struct cql_outbound outbound = {.lz4 = true};
    for (int large = 0; large < 2; large++) {
        struct buf *body = cql_outbound_begin(&outbound, 4 | CQL_FRAME_ANSWER, CQL_OP_QUERY, 3);
        const size_t start = body->len;
        for (int i = 0; i < (large ? 50000 : 10); i++)
            buf_append_str(body, "word");
        const size_t len = body->len - start;
        cql_outbound_end(&outbound);
        struct buf *bytes = cql_outbound_take(&outbound);
        assert_int_equal(bytes->ptr[1], large);
        assert_true(bytes->len < 1000);
        struct cql_inbound inbound = {0};
        feed(&inbound, buf_slice(bytes));
        buf_clear(bytes);
        struct cql_frame frame;
        assert_int_equal(cql_inbound_next(&inbound, &frame, NULL), CQL_STEP_DONE);
        assert_int_equal(frame.body.len, len);
        assert_memory_equal(frame.body.ptr, "wordword", 8);
        cql_inbound_free(&inbound);
    }
    cql_outbound_free(&outbound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_captured_cut_everywhere),
        cmocka_unit_test(test_captured_with_flipped_bits),
        cmocka_unit_test(test_segments_there_and_back),
        cmocka_unit_test(test_segment_by_the_book),
        cmocka_unit_test(test_segments_are_filled),
        cmocka_unit_test(test_impossible_streams),
        cmocka_unit_test(test_v4_compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
