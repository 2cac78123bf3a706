#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reading JSON (RFC 8259): one parse gives a flat array of nodes in document order, children
 * behind their parent, that plain C walks by index. The whole text is validated: UTF-8, escapes,
 * number syntax, nesting. Numbers are never converted: their text is what counts here. */

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_node {
    enum json_type type;
    uint32_t children; /* of an array or object: how many, else 0 */
    uint32_t span;     /* nodes of its subtree, itself included: n + n->span is what follows */
    bool half_pair;    /* text has half of a surrogate pair, see below */
    struct slice key;  /* of an object's member: unescaped; else null */
    struct slice text; /* string: unescaped; number: as written; others: as raw */
    struct slice raw;  /* as it stands in the text, without surrounding white space */
};

/* What a server has let in must be readable: Elasticsearch 9 takes documents of 1,000 levels, 2.4
 * of more than 4,000. Nothing here recurses. */
enum { JSON_DEPTH_MAX = 16384 };

/* Half of a surrogate pair ("\ud800" alone) is a valid escape but no character. Servers store and
 * return such documents, and one of them must not make a page of a thousand unreadable: it becomes
 * the three bytes ED A0..BF xx, which are not UTF-8, so that nothing else decodes to the same text.
 * Whoever passes text on as UTF-8 checks half_pair (of a key: json_utf8_valid). */

/* A reusable parser and the nodes of its last document. */
struct json_doc;

struct json_doc *json_doc_new(void);
void json_doc_free(struct json_doc *doc);

/* Parses text. Nodes borrow from text and from doc, until the next parse or free. Nothing behind
 * text is read, whatever padded says. Duplicate members are kept.
 * Errors: ERR_VALUE with the offset; ERR_TOO_LARGE beyond 4 GiB, 16M values or JSON_DEPTH_MAX.
 * After an error doc is empty: json_count is 0. */
enum { JSON_PADDING = 64 };
MUST_USE bool json_parse(struct json_doc *doc, struct slice text, bool padded, struct err *err);

/* Node 0 is the root. Borrowed until the next parse. */
const struct json_node *json_root(const struct json_doc *doc);
size_t json_count(const struct json_doc *doc);

/* Walking: for (n = json_first(p); n; n = json_next(p, n)). Works without the doc. */
static inline const struct json_node *json_first(const struct json_node *parent)
{
    return parent->children ? parent + 1 : NULL;
}
/* The sibling behind n below parent, or NULL. */
static inline const struct json_node *json_next(const struct json_node *parent,
                                                const struct json_node *n)
{
    const struct json_node *next = n + n->span;
    return next < parent + parent->span ? next : NULL;
}
/* Member of an object by name (the last one of that name, as the servers read it), or NULL;
 * NULL for other types and for a NULL object. */
const struct json_node *json_member(const struct json_node *object, const char *name);
/* Follows a path of member names "a.b.c"; NULL when one is missing. */
const struct json_node *json_path(const struct json_node *object, const char *path);
/* Integers only ("12", not "1.2e1"); false when it isn't one or doesn't fit. */
MUST_USE bool json_int64(const struct json_node *n, int64_t *out);

/* Whether s is UTF-8 (no surrogates, nothing overlong). */
bool json_utf8_valid(struct slice s);

/* The nearest double (float) to a JSON number's text, whatever the locale; false when it is beyond
 * the range at either end (1e999, 1e-999) or text is no JSON number. */
MUST_USE bool json_read_double(struct slice text, double *out);
MUST_USE bool json_read_float(struct slice text, float *out);

/* Writing: appends text as a JSON string with its quotes, only '"', '\\' and control characters
 * escaped. Bytes must be UTF-8 (checked: false and nothing appended when they are not). */
MUST_USE bool json_append_string(struct buf *out, struct slice text);
/* The same for text or key of a parsed node: half pairs go out as the escapes that they were. */
void json_append_parsed(struct buf *out, struct slice text);
/* "name":"text"; name needs no escapes, text as above. */
void json_append_member(struct buf *out, const char *name, struct slice text);

/* The shortest text that reads back as the same double (float), always with a point or an exponent:
 * 1.0, -0.0, 1e+22. v must be finite. */
void json_append_double(struct buf *out, double v);
void json_append_float(struct buf *out, float v);

#ifdef __cplusplus
}
#endif

#endif
