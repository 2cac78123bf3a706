#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A run of bytes that somebody else owns. ptr == NULL means "no value" (CQL null, absent);
 * a value of length 0 has a non-NULL ptr. Not NUL-terminated. */
struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE_NULL   ((struct slice){NULL, 0})
#define SLICE_LIT(s) ((struct slice){"" s, sizeof(s) - 1})
/* For printf: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct slice slice_of(const void *ptr, size_t len)
{
    return (struct slice){(const char *)ptr, len}; /* C++ reads this too */
}

/* Borrows text; NULL gives SLICE_NULL. */
static inline struct slice slice_str(const char *text)
{
    return text ? (struct slice){text, strlen(text)} : SLICE_NULL;
}

static inline bool slice_is_null(struct slice s)
{
    return s.ptr == NULL;
}

/* Null equals only null. */
static inline bool slice_equal(struct slice a, struct slice b)
{
    if ((a.ptr == NULL) != (b.ptr == NULL) || a.len != b.len)
        return false;
    return a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Two texts, either of which may be NULL: that equals only NULL. */
static inline bool slice_same_text(const char *a, const char *b)
{
    return slice_equal(slice_str(a), slice_str(b));
}

static inline bool slice_is(struct slice s, const char *text)
{
    return s.ptr && s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

#endif
