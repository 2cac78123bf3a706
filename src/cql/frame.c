#include "cql/frame.h"

/* What answers first when the port is another's. */
static bool not_cql(uint8_t first, struct err *err)
{
    enum { TLS_ALERT = 0x15, HTTP = 'H' };
    if (first == TLS_ALERT)
        return err_set(err, ERR_PROTOCOL, "the server speaks TLS at this port; set tls.ca");
    if (first == HTTP)
        return err_set(err, ERR_PROTOCOL,
                       "not a CQL server: it speaks HTTP; take the port of the native protocol");
    return err_set(err, ERR_PROTOCOL, "not a CQL server: answer starts with byte 0x%02X", first);
}

bool cql_frame_header(const char *bytes, struct cql_frame *frame, size_t *body_len, struct err *err)
{
    struct cql_reader r = cql_reader_of(slice_of(bytes, CQL_FRAME_HEADER));
    const uint8_t version = cql_read_u8(&r);
    frame->version = version & (uint8_t)~CQL_FRAME_ANSWER;
    frame->flags = cql_read_u8(&r);
    frame->stream = (int16_t)cql_read_u16(&r);
    frame->opcode = cql_read_u8(&r);
    const uint32_t len = (uint32_t)cql_read_i32(&r);
    if (!(version & CQL_FRAME_ANSWER) || frame->version < 3 || frame->version > 6)
        return not_cql(version, err);
    if (len > CQL_FRAME_BODY_MAX)
        return err_set(err, ERR_PROTOCOL, "a frame of %u bytes is beyond the protocol's limit",
                       len);
    *body_len = len;
    return true;
}

size_t cql_frame_begin(struct buf *out, int version, enum cql_opcode opcode, int16_t stream)
{
    const size_t start = out->len;
    buf_append_char(out, (char)version);
    buf_append_char(out, 0);
    buf_append_be16(out, (uint16_t)stream);
    buf_append_char(out, (char)opcode);
    buf_append_be32(out, 0);
    return start;
}

void cql_frame_end(struct buf *out, size_t start)
{
    const size_t len = out->len - start - CQL_FRAME_HEADER;
    cql_encode_i32(out->ptr + start + 5, (int32_t)len);
}

bool cql_frame_open(const struct cql_frame *frame, struct cql_reader *message,
                    struct slice *warning, struct err *err)
{
    *message = cql_reader_of(frame->body);
    *warning = SLICE_NULL;
    if (frame->flags & CQL_FLAG_TRACING)
        cql_read_raw(message, 16);
    if (frame->flags & CQL_FLAG_WARNING) {
        for (unsigned n = cql_read_u16(message); n > 0 && !message->bad; n--) {
            const struct slice text = cql_read_string(message);
            if (slice_is_null(*warning))
                *warning = text;
        }
    }
    if (frame->flags & CQL_FLAG_PAYLOAD) {
        for (unsigned n = cql_read_u16(message); n > 0 && !message->bad; n--) {
            cql_read_string(message);
            cql_read_bytes(message);
        }
    }
    if (message->bad)
        return err_set(err, ERR_PROTOCOL, "a frame's warnings or custom payload are cut off");
    return true;
}
