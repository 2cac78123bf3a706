#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/attr.h"
#include "base/slice.h"

#include <stdint.h>

/* A growing byte buffer. Zero-initialised is empty and valid. */
struct buf {
    char *ptr;
    size_t len;
    size_t cap;
};

void buf_free(struct buf *b);
/* Keeps the memory. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}
/* Room for extra more bytes; returns where they start. len is not moved. */
char *buf_reserve(struct buf *b, size_t extra);

void buf_append(struct buf *b, const void *data, size_t len);
static inline void buf_append_slice(struct buf *b, struct slice s)
{
    buf_append(b, s.ptr, s.len);
}
void buf_append_str(struct buf *b, const char *text);
void buf_append_char(struct buf *b, char c);
/* Big-endian, as all of the CQL protocol's integers are. */
void buf_append_be16(struct buf *b, uint16_t v);
void buf_append_be32(struct buf *b, uint32_t v);
void buf_append_be64(struct buf *b, uint64_t v);
void buf_append_i64_text(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The content as a C string, borrowed until the next change. */
const char *buf_cstr(struct buf *b);

static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->ptr ? b->ptr : "", b->len);
}

#endif
