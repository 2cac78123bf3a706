#ifndef SINK_QUERY_TOKEN_H
#define SINK_QUERY_TOKEN_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

/* CQL as tokens, with Python's placeholders among them. Pure. */

enum query_token_kind {
    QUERY_END,
    QUERY_NAME,     /* without quotes: a keyword, or a name in any case */
    QUERY_QUOTED,   /* "Name" */
    QUERY_STRING,   /* 'text' or $$text$$ */
    QUERY_CONSTANT, /* a number, a UUID, 0xCAFE */
    QUERY_PLACEHOLDER,
    QUERY_SYMBOL, /* one character */
};

struct query_token {
    enum query_token_kind kind;
    size_t at;         /* offset in the text */
    struct slice raw;  /* as it stands there, in quotes with %% for a percent sign */
    struct slice name; /* of a placeholder, else null */
    bool spaced;       /* white space or a comment stands before it */
};

struct query_scanner {
    struct slice text;
    size_t at;    /* of what comes next */
    size_t fault; /* where an error is */
};

/* Slices of the token borrow from the text. Errors: ERR_CONFIG without the position. */
MUST_USE bool query_scan(struct query_scanner *scanner, struct query_token *token, struct err *err);

/* A keyword in any case. */
bool query_token_is_word(const struct query_token *token, const char *word);
bool query_token_is_symbol(const struct query_token *token, char symbol);

/* Lines and columns count from 1, columns in characters. */
struct query_place {
    unsigned line, column;
};
struct query_place query_place_at(struct slice text, size_t offset);

#endif
