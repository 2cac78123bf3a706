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

/* Server texts travel into logs: one line, nothing that a terminal would obey. */
static void clean(char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            *text = ' ';
    }
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
    clean(err->text);
    return false;
}
