#ifndef SINK_QUERY_TEXT_H
#define SINK_QUERY_TEXT_H

#include "base/arena.h"
#include "sink/query_token.h"

#include <stdint.h>

/* The text of insertQuery as statements to prepare. What can be known without a server is checked
 * here: the kind of statement, placeholders, and that sending it twice changes nothing. The rest of
 * the grammar is the server's affair. Pure. */

enum query_kind { QUERY_INSERT, QUERY_UPDATE, QUERY_DELETE };

/* One ? of a statement. */
struct query_mark {
    struct slice field; /* null: the time of the write, less 1 µs */
    size_t at;          /* offset in the text */
};

enum query_use {
    QUERY_ASSIGNED,
    QUERY_ADDED,      /* c = c + …, c = … + c, c += … */
    QUERY_SUBTRACTED, /* c = c - …, c -= … */
    QUERY_ELEMENT,    /* c[…] = …, DELETE c[…] */
};

struct query_column {
    struct slice name; /* as the server's schema spells it */
    enum query_use use;
    bool generated; /* its value comes from uuid(), now() and the like */
    size_t at;
};

/* Where a token of the CQL comes from. */
struct query_anchor {
    size_t cql, text;
};

struct query_statement {
    enum query_kind kind;
    struct slice keyspace, table; /* as the server's schema spells them */
    struct slice cql;             /* ? for placeholders, one line (but for lines within strings) */
    size_t at;
    const struct query_mark *marks;
    const struct query_column *columns; /* that it writes */
    const struct query_anchor *anchors;
    uint32_t mark_count, column_count, anchor_count;
    bool whole_rows; /* a DELETE without columns */
    bool json;       /* an INSERT whose columns nobody knows */
};

struct query_script {
    struct slice text;
    const struct query_statement *statements;
    uint32_t count; /* at least 1 */
};

/* Tables without a keyspace get keyspace, in the statements' CQL too. All in arena, text included.
 * Errors: ERR_CONFIG without the position, which is in *place. */
MUST_USE bool query_text_parse(struct slice text, struct slice keyspace, struct arena *arena,
                               struct query_script *script, struct query_place *place,
                               struct err *err);

/* Where the character (from 0 on) of the statement's CQL stands in the text. */
struct query_place query_statement_place(const struct query_script *script,
                                         const struct query_statement *statement, size_t character);

#endif
