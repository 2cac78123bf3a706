#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    enum err_class class;
    const char *name;
} errors[] = {
#define ERR_ROW(name, class, text) [ERR_##name] = {ERR_CLASS_##class, text},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

enum err_class err_class_of(enum err_code code)
{
    return errors[code].class;
}

const char *err_code_name(enum err_code code)
{
    return errors[code].name;
}

/* Bytes of the UTF-8 character at p, 0 when there is none. p ends with a NUL. */
static size_t character_len(const unsigned char *p)
{
    const unsigned char first = p[0], second = first ? p[1] : 0;
    size_t len = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (first > 0xF4 || (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90))
        return 0; /* overlong, half of a surrogate pair, beyond the last character */
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

/* Server texts travel into logs, JSON and the state: one line of UTF-8, nothing that a terminal
 * would obey. */
static void clean(char *text)
{
    unsigned char *p = (unsigned char *)text;
    while (*p) {
        const size_t len = character_len(p);
        const bool control = *p < 0x20 || *p == 0x7f || (len == 2 && *p == 0xC2 && p[1] < 0xA0);
        if (control || len == 0)
            memset(p, control ? ' ' : '?', len ? len : 1);
        p += len ? len : 1;
    }
}

/* Cuts off the beginning of a character whose end had no room. */
static void cut_whole(char *text)
{
    size_t len = strlen(text), at = len;
    if (len < ERR_TEXT_MAX - 1)
        return;
    while (at > 0 && len - at < 3 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
        at--;
    if (at > 0 && (unsigned char)text[at - 1] >= 0xC0 &&
        character_len((const unsigned char *)text + at - 1) == 0)
        text[at - 1] = '\0';
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list args;
    va_start(args, fmt);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    cut_whole(err->text);
    clean(err->text);
    return false;
}

bool err_context(struct err *err, const char *fmt, ...)
{
    if (!err)
        return false;
    char inner[ERR_TEXT_MAX];
    memcpy(inner, err->text, sizeof inner);
    char *at = err->text;
    va_list args;
    va_start(args, fmt);
    vsnprintf(at, ERR_TEXT_MAX, fmt, args);
    va_end(args);
    const size_t len = strlen(at);
    const size_t room = ERR_TEXT_MAX - 1 - len;
    if (room > 2) {
        memcpy(at + len, ": ", 2);
        strncpy(at + len + 2, inner, room - 2);
        at[ERR_TEXT_MAX - 1] = '\0';
    }
    cut_whole(err->text);
    clean(err->text);
    return false;
}
