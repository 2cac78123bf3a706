#ifndef SINK_QUERY_READER_H
#define SINK_QUERY_READER_H

#include "base/buf.h"
#include "sink/query_text.h"

/* What all statements have in common: tokens are looked at one ahead and taken over into CQL, with
 * ? for placeholders. Every function that takes may fail, err is set then. */

enum { QUERY_NESTING_MAX = 64 };

struct query_reader {
    struct query_scanner scanner;
    struct query_token token; /* looked at, not taken yet */
    struct arena *arena;
    struct slice keyspace;
    struct query_statement statement;
    struct buf cql, marks, columns, anchors; /* of the statement */
    unsigned depth;                          /* of brackets */
    char closing[QUERY_NESTING_MAX];
    size_t opened[QUERY_NESTING_MAX];
    bool generator; /* the last token names a function that gives another value each time */
    bool generated; /* such a function was called */
    struct err *err;
};

/* Both return false. The second says what is expected in the token's place. */
bool query_fail(struct query_reader *r, size_t at, const char *why);
bool query_fail_token(struct query_reader *r, const char *wanted);

bool query_is_word(const struct query_reader *r, const char *word);
bool query_is_symbol(const struct query_reader *r, char symbol);
bool query_is_name(const struct query_token *token);
/* Whether the statement is over. */
bool query_at_end(const struct query_reader *r);

/* Looks at the next token without taking this one. */
MUST_USE bool query_next(struct query_reader *r);
MUST_USE bool query_take(struct query_reader *r);
MUST_USE bool query_take_word(struct query_reader *r, const char *word);
MUST_USE bool query_take_symbol(struct query_reader *r, char symbol);
/* Until no more than limit brackets are open. */
MUST_USE bool query_take_closed(struct query_reader *r, unsigned limit);
MUST_USE bool query_take_rest(struct query_reader *r);
/* A table's name, for the statement too. */
MUST_USE bool query_take_table(struct query_reader *r);

/* A column's name as the token to be taken: noted in columns, not taken. */
MUST_USE bool query_note_column(struct query_reader *r);
MUST_USE bool query_expect_name(struct query_reader *r, const char *what);
/* A name in the spelling of the schema: case counts within quotes only. */
struct slice query_schema_name(struct query_reader *r, const struct query_token *token);
/* A ? at the end of the CQL. */
void query_add_mark(struct query_reader *r, struct slice field, size_t at);

#endif
