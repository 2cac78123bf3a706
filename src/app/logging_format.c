#include "app/logging_format.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The fields of a Python LogRecord. There are no Python files here: what names a place in the
 * source is taken from the logger's name. */
#define FIELD_LIST(X)     \
    X(asctime, 0)         \
    X(created, 1)         \
    X(filename, 0)        \
    X(funcName, 0)        \
    X(levelname, 0)       \
    X(levelno, 1)         \
    X(lineno, 1)          \
    X(message, 0)         \
    X(module, 0)          \
    X(msecs, 1)           \
    X(name, 0)            \
    X(pathname, 0)        \
    X(process, 1)         \
    X(processName, 0)     \
    X(relativeCreated, 1) \
    X(thread, 1)          \
    X(threadName, 0)

enum field {
#define FIELD_ENUM(name, number) FIELD_##name,
    FIELD_LIST(FIELD_ENUM)
#undef FIELD_ENUM
        FIELD_LITERAL,
};

static const struct {
    const char *name;
    bool number;
} fields[] = {
#define FIELD_ROW(name, number) {#name, number},
    FIELD_LIST(FIELD_ROW)
#undef FIELD_ROW
};

struct logging_segment {
    enum field field;
    struct slice literal;
    bool left, zero;
    int width, precision; /* -1: none */
    char conversion;      /* s, d or f */
};

enum { WIDTH_MAX = 200, DATE_MAX = 200 };

static int number_at(const char **p)
{
    int n = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        n = n < WIDTH_MAX ? n * 10 + (**p - '0') : n;
    return n < WIDTH_MAX ? n : WIDTH_MAX;
}

/* Parses what follows a '%'; returns what is behind it, or NULL. */
static const char *parse_field(const char *p, struct logging_segment *s, const char **why)
{
    const char *end = *p == '(' ? strchr(p, ')') : NULL;
    *why = "a % without (name); write %(name)s, or %% for the character itself";
    if (!end)
        return NULL;
    *why = "has an unknown field; use those of Python's LogRecord, %(message)s for example";
    struct slice name = slice_of(p + 1, (size_t)(end - p) - 1);
    s->field = FIELD_LITERAL;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (slice_is(name, fields[i].name))
            s->field = (enum field)i;
    if (s->field == FIELD_LITERAL)
        return NULL;
    p = end + 1;
    for (; *p && strchr("-0 +#", *p); p++) {
        s->left |= *p == '-';
        s->zero |= *p == '0';
    }
    s->width = number_at(&p);
    s->precision = -1;
    if (*p == '.') {
        p++;
        s->precision = number_at(&p);
    }
    *why = "has a field without its conversion; write %(name)s";
    if (!*p || !strchr("sdif", *p))
        return NULL;
    *why = "formats a text as a number; write %(name)s";
    if (*p != 's' && !fields[s->field].number)
        return NULL;
    s->conversion = *p == 'i' ? 'd' : *p;
    return p + 1;
}

static void add_segment(struct buf *segments, const struct logging_segment *s)
{
    buf_append(segments, s, sizeof *s);
}

bool logging_format_compile(const char *format, const char *datefmt, struct arena *arena,
                            struct logging_format *out, const char **why)
{
    struct buf segments = {0};
    const char *p = format;
    while (p && *p) {
        struct logging_segment s = {.field = FIELD_LITERAL};
        size_t len = strcspn(p, "%");
        if (len > 0 || (p[0] == '%' && p[1] == '%')) {
            s.literal = arena_copy(arena, slice_of(p, len ? len : 1));
            p += len ? len : 2;
        } else {
            p = parse_field(p + 1, &s, why);
        }
        if (p)
            add_segment(&segments, &s);
    }
    out->segments = (const void *)arena_copy(arena, buf_slice(&segments)).ptr;
    out->count = segments.len / sizeof *out->segments;
    out->datefmt = datefmt;
    buf_free(&segments);
    return p != NULL;
}

static const char *const level_names[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};

static void append_date(const char *datefmt, int64_t time_us, struct buf *out)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    char text[DATE_MAX];
    localtime_r(&seconds, &parts);
    /* The user's format is the point. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t len = strftime(text, sizeof text, datefmt ? datefmt : "%Y-%m-%d %H:%M:%S", &parts);
#pragma GCC diagnostic pop
    buf_append(out, text, len);
    if (!datefmt)
        buf_printf(out, ",%03d", (int)(time_us / 1000 % 1000));
}

static double field_number(enum field field, const struct logging_record *record)
{
    switch (field) {
    case FIELD_created:
        return (double)record->time_us / 1e6;
    case FIELD_levelno:
        return ((int)record->level + 1) * 10;
    case FIELD_msecs:
        return (double)(record->time_us % 1000000) / 1000;
    case FIELD_process:
        return getpid();
    case FIELD_thread:
        return (double)syscall(SYS_gettid);
    default:
        return 0;
    }
}

static void append_module(const char *logger, struct buf *out)
{
    const char *dot = strrchr(logger, '.');
    buf_append_str(out, dot ? dot + 1 : logger);
}

static void append_text_field(const struct logging_format *format, enum field field,
                              const struct logging_record *record, struct buf *out)
{
    switch (field) {
    case FIELD_asctime:
        append_date(format->datefmt, record->time_us, out);
        break;
    case FIELD_levelname:
        buf_append_str(out, level_names[record->level]);
        break;
    case FIELD_name:
        buf_append_str(out, record->name);
        break;
    case FIELD_message:
        buf_append_str(out, record->text);
        break;
    case FIELD_module:
        append_module(record->name, out);
        break;
    case FIELD_filename:
    case FIELD_pathname:
        append_module(record->name, out);
        buf_append_str(out, ".c");
        break;
    case FIELD_processName:
        buf_append_str(out, "caes-sync");
        break;
    case FIELD_threadName:
        buf_append_str(out, "MainThread");
        break;
    default:
        buf_append_str(out, "-");
    }
}

static void append_number(const struct logging_segment *s, double number, struct buf *out)
{
    if (s->conversion == 'f')
        buf_printf(out, "%.*f", s->precision < 0 ? 6 : s->precision, number);
    else if (s->conversion == 's' && number != (double)(int64_t)number)
        buf_printf(out, "%f", number);
    else
        buf_printf(out, "%.*lld", s->precision < 0 ? 1 : s->precision, (long long)number);
}

static void pad(struct buf *out, char c, size_t count)
{
    while (count-- > 0)
        buf_append_char(out, c);
}

static void append_segment(const struct logging_format *format, const struct logging_segment *s,
                           const struct logging_record *record, struct buf *out)
{
    struct buf value = {0};
    if (fields[s->field].number)
        append_number(s, field_number(s->field, record), &value);
    else
        append_text_field(format, s->field, record, &value);
    if (s->conversion == 's' && s->precision >= 0 && value.len > (size_t)s->precision)
        value.len = (size_t)s->precision;
    size_t missing = value.len < (size_t)s->width ? (size_t)s->width - value.len : 0;
    if (!s->left)
        pad(out, s->zero && s->conversion != 's' ? '0' : ' ', missing);
    buf_append_slice(out, buf_slice(&value));
    if (s->left)
        pad(out, ' ', missing);
    buf_free(&value);
}

void logging_format_render(const struct logging_format *format, const struct logging_record *record,
                           struct buf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < format->count; i++) {
        const struct logging_segment *s = &format->segments[i];
        if (s->field == FIELD_LITERAL)
            buf_append_slice(out, s->literal);
        else
            append_segment(format, s, record, out);
    }
    for (size_t i = start; i < out->len; i++)
        if ((unsigned char)out->ptr[i] < 0x20 || out->ptr[i] == 0x7f)
            out->ptr[i] = ' ';
}

static void append_json_text(struct buf *out, const char *text)
{
    if (json_append_string(out, slice_str(text)))
        return;
    struct buf ascii = {0};
    for (const char *p = text; *p; p++)
        buf_append_char(&ascii, (unsigned char)*p < 0x80 ? *p : '?');
    if (!json_append_string(out, buf_slice(&ascii)))
        buf_append_str(out, "\"\"");
    buf_free(&ascii);
}

void logging_format_json(const struct logging_record *record, struct buf *out)
{
    time_t seconds = (time_t)(record->time_us / 1000000);
    struct tm parts;
    char date[32];
    gmtime_r(&seconds, &parts);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    buf_printf(out, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"logger\":", date,
               (int)(record->time_us / 1000 % 1000), level_names[record->level]);
    append_json_text(out, record->name);
    buf_append_str(out, ",\"message\":");
    append_json_text(out, record->text);
    buf_append_char(out, '}');
}
