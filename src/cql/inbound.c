#include "cql/inbound.h"

#include <lz4.h>

enum {
    ROOM_MIN = 64 * 1024,
    KEEP_MAX = 4 * 1024 * 1024, /* a buffer that one large frame has blown up is given back */
    LZ4_RATIO_MAX = 255,
};

void cql_inbound_free(struct cql_inbound *inbound)
{
    buf_free(&inbound->in);
    buf_free(&inbound->plain);
    buf_free(&inbound->large);
}

static void empty(struct buf *b)
{
    if (b->cap > KEEP_MAX)
        buf_free(b);
    buf_clear(b);
}

char *cql_inbound_room(struct cql_inbound *inbound, size_t *len)
{
    struct buf *in = &inbound->in;
    const size_t left = in->len - inbound->taken;
    if (left == 0)
        empty(in);
    else if (inbound->taken > 0)
        memmove(in->ptr, in->ptr + inbound->taken, left);
    in->len = left;
    inbound->taken = 0;
    char *at = buf_reserve(in, ROOM_MIN);
    *len = in->cap - in->len;
    return at;
}

void cql_inbound_added(struct cql_inbound *inbound, size_t len)
{
    inbound->in.len += len;
}

static struct slice untaken(const struct cql_inbound *inbound)
{
    return slice_of(inbound->in.ptr + inbound->taken, inbound->in.len - inbound->taken);
}

/* A whole frame at the start of bytes. */
static enum cql_step split(struct slice bytes, struct cql_frame *frame, size_t *used,
                           struct err *err)
{
    if (bytes.len < CQL_FRAME_HEADER)
        return CQL_STEP_MORE;
    size_t len;
    if (!cql_frame_header(bytes.ptr, frame, &len, err))
        return CQL_STEP_ERROR;
    if (bytes.len - CQL_FRAME_HEADER < len)
        return CQL_STEP_MORE;
    frame->body = slice_of(bytes.ptr + CQL_FRAME_HEADER, len);
    *used = CQL_FRAME_HEADER + len;
    return CQL_STEP_DONE;
}

/* v4: the body is its plain length and an LZ4 block (v4 specification section 5). */
static bool decompress(struct cql_inbound *inbound, struct cql_frame *frame, struct err *err)
{
    struct cql_reader r = cql_reader_of(frame->body);
    const uint32_t len = (uint32_t)cql_read_i32(&r);
    if (r.bad || len > CQL_FRAME_BODY_MAX || len / LZ4_RATIO_MAX > r.left)
        return err_set(err, ERR_PROTOCOL, "a compressed frame has an impossible length");
    empty(&inbound->plain);
    char *at = buf_reserve(&inbound->plain, len + 1);
    if (len > 0 && LZ4_decompress_safe(r.at, at, (int)r.left, (int)len) != (int)len)
        return err_set(err, ERR_PROTOCOL, "a frame can't be decompressed");
    inbound->plain.len = len;
    frame->body = buf_slice(&inbound->plain);
    frame->flags &= (uint8_t)~CQL_FLAG_COMPRESSED;
    return true;
}

static enum cql_step next_plain(struct cql_inbound *inbound, struct cql_frame *frame,
                                struct err *err)
{
    size_t used = 0;
    const enum cql_step step = split(untaken(inbound), frame, &used, err);
    if (step != CQL_STEP_DONE)
        return step;
    inbound->taken += used;
    if ((frame->flags & CQL_FLAG_COMPRESSED) && !decompress(inbound, frame, err))
        return CQL_STEP_ERROR;
    return CQL_STEP_DONE;
}

/* A part of a frame; the segment with its end holds nothing else. */
static enum cql_step add_part(struct cql_inbound *inbound, const struct cql_segment *segment,
                              struct cql_frame *frame, struct err *err)
{
    if (!cql_segment_unpack(segment, &inbound->large, err))
        return CQL_STEP_ERROR;
    size_t used = 0;
    const enum cql_step step = split(buf_slice(&inbound->large), frame, &used, err);
    inbound->large_done = step == CQL_STEP_DONE;
    if (step == CQL_STEP_DONE && used != inbound->large.len) {
        err_set(err, ERR_PROTOCOL, "a segment goes on behind the end of its frame");
        return CQL_STEP_ERROR;
    }
    return step;
}

/* Takes segments until a frame is complete or a self-contained one is there. */
static enum cql_step next_segment(struct cql_inbound *inbound, struct cql_frame *frame,
                                  struct err *err)
{
    struct cql_segment segment;
    size_t used;
    enum cql_step step = cql_segment_decode(untaken(inbound), inbound->lz4, &segment, &used, err);
    if (step != CQL_STEP_DONE)
        return step;
    inbound->taken += used;
    if (inbound->large_done)
        empty(&inbound->large);
    inbound->large_done = false;
    if (!segment.self_contained)
        return add_part(inbound, &segment, frame, err);
    if (inbound->large.len > 0) {
        err_set(err, ERR_PROTOCOL, "a frame over several segments has no end");
        return CQL_STEP_ERROR;
    }
    inbound->payload = segment.payload;
    if (segment.plain_len > 0) {
        buf_clear(&inbound->plain);
        if (!cql_segment_unpack(&segment, &inbound->plain, err))
            return CQL_STEP_ERROR;
        inbound->payload = buf_slice(&inbound->plain);
    }
    return CQL_STEP_MORE;
}

static enum cql_step next_in_segments(struct cql_inbound *inbound, struct cql_frame *frame,
                                      struct err *err)
{
    for (;;) {
        size_t used = 0;
        if (inbound->payload.len > 0) {
            enum cql_step step = split(inbound->payload, frame, &used, err);
            if (step == CQL_STEP_MORE)
                err_set(err, ERR_PROTOCOL, "a self-contained segment ends inside a frame");
            inbound->payload = slice_of(inbound->payload.ptr + used, inbound->payload.len - used);
            return step == CQL_STEP_DONE ? step : CQL_STEP_ERROR;
        }
        const size_t before = inbound->taken;
        const enum cql_step step = next_segment(inbound, frame, err);
        if (step != CQL_STEP_MORE || inbound->taken == before)
            return step;
    }
}

enum cql_step cql_inbound_next(struct cql_inbound *inbound, struct cql_frame *frame,
                               struct err *err)
{
    if (!inbound->segments)
        return next_plain(inbound, frame, err);
    return next_in_segments(inbound, frame, err);
}
