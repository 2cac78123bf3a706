#include "cql/segment.h"

#include "cql/crc.h"
#include "cql/frame.h"

#include <lz4.h>
#include <stdint.h>

enum { LEN_BITS = 17, CRC24_SIZE = 3, CRC32_SIZE = 4 };

static size_t header_size(bool lz4)
{
    return lz4 ? 5 : 3;
}

static uint64_t read_le(const char *at, size_t size)
{
    uint64_t v = 0;
    for (size_t i = size; i-- > 0;)
        v = v << 8 | (unsigned char)at[i];
    return v;
}

static void write_le(char *at, uint64_t v, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (char)(v >> (8 * i));
}

enum cql_step cql_segment_decode(struct slice bytes, bool lz4, struct cql_segment *segment,
                                 size_t *used, struct err *err)
{
    const size_t size = header_size(lz4);
    *used = size + CRC24_SIZE;
    if (bytes.len < *used)
        return CQL_STEP_MORE;
    if (cql_crc24(slice_of(bytes.ptr, size)) != read_le(bytes.ptr + size, CRC24_SIZE)) {
        err_set(err, ERR_CONNECTION, "a segment's header has a wrong checksum");
        return CQL_STEP_ERROR;
    }
    uint64_t header = read_le(bytes.ptr, size);
    const size_t len = header & CQL_SEGMENT_PAYLOAD_MAX;
    header >>= LEN_BITS;
    segment->plain_len = 0;
    if (lz4) {
        segment->plain_len = header & CQL_SEGMENT_PAYLOAD_MAX;
        header >>= LEN_BITS;
    }
    segment->self_contained = header & 1;

    const size_t start = *used;
    *used += len + CRC32_SIZE;
    if (bytes.len < *used)
        return CQL_STEP_MORE;
    segment->payload = slice_of(bytes.ptr + start, len);
    if (cql_crc32(segment->payload) != read_le(bytes.ptr + start + len, CRC32_SIZE)) {
        err_set(err, ERR_CONNECTION, "a segment's payload has a wrong checksum");
        return CQL_STEP_ERROR;
    }
    return CQL_STEP_DONE;
}

bool cql_segment_unpack(const struct cql_segment *segment, struct buf *out, struct err *err)
{
    if (segment->plain_len == 0) {
        buf_append_slice(out, segment->payload);
        return true;
    }
    char *at = buf_reserve(out, segment->plain_len);
    const int len = LZ4_decompress_safe(segment->payload.ptr, at, (int)segment->payload.len,
                                        (int)segment->plain_len);
    if (len < 0 || (size_t)len != segment->plain_len)
        return err_set(err, ERR_PROTOCOL, "a segment can't be decompressed");
    out->len += segment->plain_len;
    return true;
}

static void pack_one(struct buf *out, struct slice plain, bool lz4, bool self_contained)
{
    const size_t size = header_size(lz4);
    const int bound = lz4 ? LZ4_compressBound((int)plain.len) : 0;
    const size_t room = plain.len > (size_t)bound ? plain.len : (size_t)bound;
    char *at = buf_reserve(out, size + CRC24_SIZE + room + CRC32_SIZE);
    char *payload = at + size + CRC24_SIZE;

    size_t len = 0, plain_len = 0;
    if (lz4) {
        len = (size_t)LZ4_compress_default(plain.ptr, payload, (int)plain.len, bound);
        plain_len = plain.len;
    }
    if (len == 0 || len >= plain.len) {
        memcpy(payload, plain.ptr, plain.len);
        len = plain.len;
        plain_len = 0;
    }
    uint64_t header = len;
    if (lz4)
        header |= (uint64_t)plain_len << LEN_BITS;
    header |= (uint64_t)self_contained << (lz4 ? 2 * LEN_BITS : LEN_BITS);
    write_le(at, header, size);
    write_le(at + size, cql_crc24(slice_of(at, size)), CRC24_SIZE);
    write_le(payload + len, cql_crc32(slice_of(payload, len)), CRC32_SIZE);
    out->len += size + CRC24_SIZE + len + CRC32_SIZE;
}

/* Bytes of the frame at the start of frames, which are our own. */
static size_t frame_size(struct slice frames)
{
    return CQL_FRAME_HEADER + (size_t)cql_decode_int(slice_of(frames.ptr + 5, 4));
}

void cql_segment_pack(struct buf *out, struct slice frames, bool lz4)
{
    while (frames.len > 0) {
        size_t len = frame_size(frames);
        if (len > CQL_SEGMENT_PAYLOAD_MAX) {
            for (size_t at = 0; at < len; at += CQL_SEGMENT_PAYLOAD_MAX) {
                const size_t part =
                    len - at < CQL_SEGMENT_PAYLOAD_MAX ? len - at : CQL_SEGMENT_PAYLOAD_MAX;
                pack_one(out, slice_of(frames.ptr + at, part), lz4, false);
            }
        } else {
            while (len < frames.len) {
                const size_t next = frame_size(slice_of(frames.ptr + len, frames.len - len));
                if (len + next > CQL_SEGMENT_PAYLOAD_MAX)
                    break;
                len += next;
            }
            pack_one(out, slice_of(frames.ptr, len), lz4, true);
        }
        frames = slice_of(frames.ptr + len, frames.len - len);
    }
}
