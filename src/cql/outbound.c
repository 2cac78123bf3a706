#include "cql/outbound.h"

#include "cql/segment.h"
#include "cql/statement.h"

#include <lz4.h>

enum { COMPRESS_MIN = 128 }; /* bytes of a body */

void cql_outbound_free(struct cql_outbound *outbound)
{
    buf_free(&outbound->frames);
    buf_free(&outbound->packed);
}

struct buf *cql_outbound_begin(struct cql_outbound *outbound, int version, enum cql_opcode opcode,
                               int16_t stream)
{
    outbound->start = cql_frame_begin(&outbound->frames, version, opcode, stream);
    return &outbound->frames;
}

/* v4 specification section 5: the plain length, then an LZ4 block. */
static void compress_body(struct cql_outbound *outbound)
{
    struct buf *frames = &outbound->frames, *packed = &outbound->packed;
    const size_t body = outbound->start + CQL_FRAME_HEADER;
    const size_t len = frames->len - body;
    if (len < COMPRESS_MIN || len > LZ4_MAX_INPUT_SIZE)
        return;
    buf_clear(packed);
    char *at = buf_reserve(packed, 4 + (size_t)LZ4_compressBound((int)len));
    const int size =
        LZ4_compress_default(frames->ptr + body, at + 4, (int)len, LZ4_compressBound((int)len));
    if (size <= 0 || (size_t)size + 4 >= len)
        return;
    cql_encode_i32(at, (int32_t)len);
    frames->len = body;
    buf_append(frames, at, (size_t)size + 4);
    frames->ptr[outbound->start + 1] |= CQL_FLAG_COMPRESSED;
}

void cql_outbound_end(struct cql_outbound *outbound)
{
    if (outbound->lz4 && !outbound->segments)
        compress_body(outbound);
    cql_frame_end(&outbound->frames, outbound->start);
}

struct buf *cql_outbound_take(struct cql_outbound *outbound)
{
    if (!outbound->segments)
        return &outbound->frames;
    buf_clear(&outbound->packed);
    cql_segment_pack(&outbound->packed, buf_slice(&outbound->frames), outbound->lz4);
    buf_clear(&outbound->frames);
    return &outbound->packed;
}
