#include "sink/query_token.h"

#include <ctype.h>
#include <strings.h>

/* Beyond the end there are NULs, which the text itself must not have. */
static char peek(const struct query_scanner *s, size_t ahead)
{
    return s->at + ahead < s->text.len ? s->text.ptr[s->at + ahead] : '\0';
}

static bool at_end(const struct query_scanner *s)
{
    return s->at >= s->text.len;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool skip_block_comment(struct query_scanner *s, struct err *err)
{
    s->fault = s->at;
    for (s->at += 2; !at_end(s); s->at++) {
        if (peek(s, 0) == '*' && peek(s, 1) == '/') {
            s->at += 2;
            return true;
        }
    }
    return err_set(err, ERR_CONFIG, "this comment has no end; close it with */");
}

static bool skip_blanks(struct query_scanner *s, struct err *err)
{
    for (;;) {
        const char c = peek(s, 0), d = peek(s, 1);
        if (is_blank(c)) {
            s->at++;
        } else if ((c == '-' && d == '-') || (c == '/' && d == '/')) {
            while (!at_end(s) && peek(s, 0) != '\n' && peek(s, 0) != '\r')
                s->at++;
        } else if (c == '/' && d == '*') {
            if (!skip_block_comment(s, err))
                return false;
        } else {
            return true;
        }
    }
}

/* A percent sign within quotes: nothing is ever put in there. */
static bool quoted_percent(struct query_scanner *s, struct err *err)
{
    if (peek(s, 1) == '%') {
        s->at++;
        return true;
    }
    s->fault = s->at;
    if (peek(s, 1) == '(')
        return err_set(err, ERR_CONFIG,
                       "a placeholder within quotes; leave the quotes away, values are bound and "
                       "never pasted into the text");
    return err_set(err, ERR_CONFIG, "%% is no placeholder here; write %%%% for a percent sign");
}

/* Behind the opening quote, up to behind the closing one; a doubled quote is part of the text. */
static bool scan_quoted(struct query_scanner *s, char quote, struct err *err)
{
    const size_t start = s->at++;
    for (; !at_end(s); s->at++) {
        if (peek(s, 0) == '%') {
            if (!quoted_percent(s, err))
                return false;
        } else if (peek(s, 0) == quote) {
            if (peek(s, 1) != quote) {
                s->at++;
                return true;
            }
            s->at++;
        } else if (peek(s, 0) == '\0') {
            s->fault = s->at;
            return err_set(err, ERR_CONFIG, "a NUL character");
        }
    }
    s->fault = start;
    return err_set(err, ERR_CONFIG, "this %s has no end; close it with %c",
                   quote == '"' ? "name" : "string", quote);
}

static bool scan_dollars(struct query_scanner *s, struct err *err)
{
    const size_t start = s->at;
    for (s->at += 2; !at_end(s); s->at++) {
        if (peek(s, 0) == '$' && peek(s, 1) == '$') {
            s->at += 2;
            return true;
        }
        if (peek(s, 0) == '%' && !quoted_percent(s, err))
            return false;
        if (peek(s, 0) == '\0' && !at_end(s))
            break;
    }
    s->fault = start;
    return err_set(err, ERR_CONFIG, "this string has no end; close it with $$");
}

/* %(name)s, or %% */
static bool scan_percent(struct query_scanner *s, struct query_token *token, struct err *err)
{
    s->fault = s->at;
    if (peek(s, 1) == '%') {
        token->kind = QUERY_SYMBOL;
        token->raw = slice_of(s->text.ptr + s->at, 1);
        s->at += 2;
        return true;
    }
    if (peek(s, 1) != '(')
        return err_set(err, ERR_CONFIG,
                       "%% is no placeholder here; write %%(field)s, or %%%% for a percent sign");
    const size_t start = s->at + 2;
    size_t end = start;
    while (end < s->text.len && s->text.ptr[end] != ')' && s->text.ptr[end] != '(' &&
           (unsigned char)s->text.ptr[end] >= ' ')
        end++;
    if (end >= s->text.len || s->text.ptr[end] != ')')
        return err_set(err, ERR_CONFIG, "this placeholder has no end; write %%(field)s");
    token->name = slice_of(s->text.ptr + start, end - start);
    if (token->name.len == 0)
        return err_set(err, ERR_CONFIG, "this placeholder has no name; write %%(field)s");
    s->at = end + 1;
    if (peek(s, 0) != 's' || is_word_char(peek(s, 1)))
        return err_set(err, ERR_CONFIG, "a placeholder ends in s: write %%(%.*s)s",
                       SLICE_ARG(token->name));
    token->kind = QUERY_PLACEHOLDER;
    token->raw = slice_of(s->text.ptr + s->fault, ++s->at - s->fault);
    return true;
}

static bool is_uuid(const struct query_scanner *s)
{
    for (size_t i = 0; i < 36; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? peek(s, i) != '-' : !isxdigit((unsigned char)peek(s, i)))
            return false;
    }
    return !is_word_char(peek(s, 36));
}

static bool scan_symbol(struct query_scanner *s, struct err *err)
{
    s->fault = s->at;
    const unsigned char c = (unsigned char)peek(s, 0);
    if (c == '?')
        return err_set(err, ERR_CONFIG, "? names no field; write %%(field)s");
    if (c < ' ' || c == 0x7F)
        return err_set(err, ERR_CONFIG, "a control character");
    s->at++;
    return true;
}

bool query_scan(struct query_scanner *s, struct query_token *token, struct err *err)
{
    const size_t before = s->at;
    if (!skip_blanks(s, err))
        return false;
    *token = (struct query_token){.at = s->at, .spaced = s->at > before};
    if (at_end(s))
        return true;
    const char c = peek(s, 0);
    bool fine = true;
    if (c == '%')
        return scan_percent(s, token, err);
    if (is_uuid(s)) {
        token->kind = QUERY_CONSTANT;
        s->at += 36;
    } else if (is_digit(c)) {
        token->kind = QUERY_CONSTANT;
        while (is_word_char(peek(s, 0)) || peek(s, 0) == '.')
            s->at++;
    } else if (is_word_char(c)) {
        token->kind = QUERY_NAME;
        while (is_word_char(peek(s, 0)))
            s->at++;
    } else if (c == '\'' || c == '"') {
        token->kind = c == '"' ? QUERY_QUOTED : QUERY_STRING;
        fine = scan_quoted(s, c, err);
    } else if (c == '$' && peek(s, 1) == '$') {
        token->kind = QUERY_STRING;
        fine = scan_dollars(s, err);
    } else {
        token->kind = QUERY_SYMBOL;
        fine = scan_symbol(s, err);
    }
    token->raw = slice_of(s->text.ptr + token->at, s->at - token->at);
    return fine;
}

bool query_token_is_word(const struct query_token *token, const char *word)
{
    return token->kind == QUERY_NAME && token->raw.len == strlen(word) &&
           strncasecmp(token->raw.ptr, word, token->raw.len) == 0;
}

bool query_token_is_symbol(const struct query_token *token, char symbol)
{
    return token->kind == QUERY_SYMBOL && token->raw.ptr[0] == symbol;
}

struct query_place query_place_at(struct slice text, size_t offset)
{
    struct query_place place = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)text.ptr[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
