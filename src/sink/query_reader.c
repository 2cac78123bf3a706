#include "sink/query_reader.h"

bool query_fail(struct query_reader *r, size_t at, const char *why)
{
    r->scanner.fault = at;
    return err_set(r->err, ERR_CONFIG, "%s", why);
}

bool query_fail_token(struct query_reader *r, const char *wanted)
{
    r->scanner.fault = r->token.at;
    if (r->token.kind == QUERY_END)
        return err_set(r->err, ERR_CONFIG, "the statement ends where %s is expected", wanted);
    return err_set(r->err, ERR_CONFIG, "%s is expected, not %.*s", wanted,
                   r->token.raw.len > 40 ? 40 : (int)r->token.raw.len, r->token.raw.ptr);
}

bool query_next(struct query_reader *r)
{
    return query_scan(&r->scanner, &r->token, r->err);
}

bool query_is_word(const struct query_reader *r, const char *word)
{
    return query_token_is_word(&r->token, word);
}

bool query_is_symbol(const struct query_reader *r, char symbol)
{
    return query_token_is_symbol(&r->token, symbol);
}

bool query_is_name(const struct query_token *token)
{
    return token->kind == QUERY_NAME || token->kind == QUERY_QUOTED;
}

/* In the seed's batch statements followed each other without a semicolon. These words are reserved,
 * so a statement can't go on with one. */
bool query_at_end(const struct query_reader *r)
{
    static const char *const begins[] = {"INSERT", "UPDATE", "DELETE", "SELECT", "BEGIN", "APPLY"};
    bool ends = r->token.kind == QUERY_END || query_is_symbol(r, ';');
    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        ends = ends || query_is_word(r, begins[i]);
    return ends;
}

/* --- to CQL */

static void append_unescaped(struct buf *out, struct slice raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        buf_append_char(out, raw.ptr[i]);
        if (raw.ptr[i] == '%')
            i++;
    }
}

void query_add_mark(struct query_reader *r, struct slice field, size_t at)
{
    const struct query_mark mark = {field, at};
    buf_append(&r->marks, &mark, sizeof mark);
    buf_append_char(&r->cql, '?');
}

static void emit(struct query_reader *r, const struct query_token *token)
{
    if (token->spaced && r->cql.len)
        buf_append_char(&r->cql, ' ');
    const struct query_anchor anchor = {r->cql.len, token->at};
    buf_append(&r->anchors, &anchor, sizeof anchor);
    if (token->kind == QUERY_PLACEHOLDER)
        query_add_mark(r, token->name, token->at);
    else if (token->kind == QUERY_STRING || token->kind == QUERY_QUOTED)
        append_unescaped(&r->cql, token->raw);
    else
        buf_append_slice(&r->cql, token->raw);
}

static bool take_bracket(struct query_reader *r)
{
    const char *open = strchr("([{", r->token.raw.ptr[0]);
    if (open) {
        if (r->depth == QUERY_NESTING_MAX)
            return query_fail(r, r->token.at, "brackets are nested too deeply");
        r->closing[r->depth] = ")]}"[open - "([{"];
        r->opened[r->depth++] = r->token.at;
        return true;
    }
    if (!strchr(")]}", r->token.raw.ptr[0]))
        return true;
    if (r->depth == 0 || r->closing[r->depth - 1] != r->token.raw.ptr[0])
        return query_fail(r, r->token.at, "this bracket closes none");
    r->depth--;
    return true;
}

static bool is_generator(const struct query_token *token)
{
    static const char *const names[] = {
        "uuid",
        "now",
        "currentTimestamp",
        "currentDate",
        "currentTime",
        "currentTimeUUID",
        "current_timestamp",
        "current_date",
        "current_time",
        "current_timeuuid",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (query_token_is_word(token, names[i]))
            return true;
    }
    return false;
}

/* Takes the token over into the CQL and looks at the next one. */
bool query_take(struct query_reader *r)
{
    if (query_is_word(r, "IF"))
        return query_fail(
            r, r->token.at,
            "conditional statements (IF) don't mix with plain writes; leave the condition "
            "away");
    if (query_is_symbol(r, ':') && (r->depth == 0 || r->closing[r->depth - 1] != '}'))
        return query_fail(r, r->token.at, "placeholders are written %(field)s");
    if (r->token.kind == QUERY_SYMBOL && !take_bracket(r))
        return false;
    r->generated = r->generated || (r->generator && query_is_symbol(r, '('));
    r->generator = is_generator(&r->token);
    emit(r, &r->token);
    return query_next(r);
}

bool query_take_word(struct query_reader *r, const char *word)
{
    return query_is_word(r, word) ? query_take(r) : query_fail_token(r, word);
}

bool query_take_symbol(struct query_reader *r, char symbol)
{
    return query_is_symbol(r, symbol) ? query_take(r) : query_fail_token(r, (char[]){symbol, '\0'});
}

/* Up to where depth is at most limit again, behind the bracket that makes it so. */
bool query_take_closed(struct query_reader *r, unsigned limit)
{
    while (r->depth > limit) {
        if (query_at_end(r))
            return query_fail(r, r->opened[r->depth - 1], "this bracket is not closed");
        if (!query_take(r))
            return false;
    }
    return true;
}

bool query_take_rest(struct query_reader *r)
{
    while (!query_at_end(r)) {
        if (!query_take(r))
            return false;
    }
    return query_take_closed(r, 0);
}

/* --- names */

/* Case counts within quotes only. */
struct slice query_schema_name(struct query_reader *r, const struct query_token *token)
{
    struct buf name = {0};
    const bool quoted = token->kind == QUERY_QUOTED;
    const struct slice raw = token->raw;
    for (size_t i = quoted; i < raw.len - quoted; i++) {
        const char c = raw.ptr[i];
        buf_append_char(&name, !quoted && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
        if (quoted && (c == '"' || c == '%')) /* stands there twice */
            i++;
    }
    const struct slice copy = arena_copy(r->arena, buf_slice(&name));
    buf_free(&name);
    return copy;
}

bool query_expect_name(struct query_reader *r, const char *what)
{
    if (r->token.kind == QUERY_PLACEHOLDER)
        return query_fail(r, r->token.at, "a placeholder stands for a value, never for a name");
    return query_is_name(&r->token) && !query_at_end(r) ? true : query_fail_token(r, what);
}

static void append_quoted(struct buf *out, struct slice name)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            buf_append_char(out, '"');
        buf_append_char(out, name.ptr[i]);
    }
    buf_append_char(out, '"');
}

bool query_take_table(struct query_reader *r)
{
    if (!query_expect_name(r, "the name of a table"))
        return false;
    const struct query_token first = r->token;
    if (!query_next(r))
        return false;
    r->statement.keyspace = r->keyspace;
    r->statement.table = query_schema_name(r, &first);
    if (!query_is_symbol(r, '.')) {
        buf_append_char(&r->cql, ' ');
        append_quoted(&r->cql, r->keyspace);
        buf_append_char(&r->cql, '.');
        emit(r, &(struct query_token){.kind = first.kind, .at = first.at, .raw = first.raw});
        return true;
    }
    r->statement.keyspace = r->statement.table;
    emit(r, &first);
    if (!query_take(r) || !query_expect_name(r, "the name of a table"))
        return false;
    r->statement.table = query_schema_name(r, &r->token);
    return query_take(r);
}

/* A column's name as the next token: noted, not taken. */
bool query_note_column(struct query_reader *r)
{
    if (!query_expect_name(r, "the name of a column"))
        return false;
    const struct query_column column = {.name = query_schema_name(r, &r->token), .at = r->token.at};
    buf_append(&r->columns, &column, sizeof column);
    return true;
}
