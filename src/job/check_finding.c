#include "job/check_finding.h"

#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {
    [CHECK_ERROR] = "error", [CHECK_WARNING] = "warning", [CHECK_INFO] = "info"};

const char *check_severity_name(enum check_severity severity)
{
    return names[severity];
}

/* Names and values of servers travel into a terminal. */
static const char *keep(struct check_findings *findings, struct slice text)
{
    char *copy = arena_alloc(&findings->arena, text.len + 1);
    const bool utf8 = json_utf8_valid(text);
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        copy[i] = c < 0x20 || c == 0x7f || (!utf8 && c >= 0x80) ? ' ' : text.ptr[i];
    }
    copy[text.len] = '\0';
    return copy;
}

static const char *keep_format(struct check_findings *findings, const char *fmt, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, fmt, args);
    size_t len = strlen(text);
    if (len == sizeof text - 1) /* it may have been cut within a character */
        while (len > 0 && ((unsigned char)text[len - 1] & 0x80))
            len--;
    return keep(findings, slice_of(text, len));
}

const char *check_text(struct check_findings *findings, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = keep_format(findings, fmt, args);
    va_end(args);
    return text;
}

static void append(struct check_findings *findings, struct check_finding finding)
{
    if (findings->count == findings->capacity) {
        const size_t capacity = findings->capacity ? 2 * findings->capacity : 32;
        struct check_finding *grown = arena_alloc(&findings->arena, capacity * sizeof *grown);
        if (findings->count)
            memcpy(grown, findings->items, findings->count * sizeof *grown);
        findings->items = grown;
        findings->capacity = capacity;
    }
    findings->items[findings->count++] = finding;
}

void check_add(struct check_findings *findings, enum check_severity severity, const char *where,
               const char *remedy, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *what = keep_format(findings, fmt, args);
    va_end(args);
    append(findings, (struct check_finding){severity, where, what, remedy});
}

void check_add_err(struct check_findings *findings, enum check_severity severity, const char *where,
                   const struct err *err, const char *fallback)
{
    const char *advice = NULL;
    for (const char *at = strstr(err->text, "; "); at; at = strstr(at + 2, "; "))
        advice = at;
    if (advice &&
        strcmp(advice, "; the user lacks a privilege") == 0) /* says what, not what to do */
        advice = NULL;
    const size_t len = advice ? (size_t)(advice - err->text) : strlen(err->text);
    append(findings,
           (struct check_finding){severity, where, keep(findings, slice_of(err->text, len)),
                                  advice ? keep(findings, slice_str(advice + 2)) : fallback});
}

bool check_has(const struct check_findings *findings, const char *where)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].where, where) == 0)
            return true;
    return false;
}

size_t check_count(const struct check_findings *findings, enum check_severity severity)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].severity == severity;
    return count;
}

void check_sort(struct check_findings *findings)
{
    struct check_finding *sorted =
        arena_alloc(&findings->arena, (findings->count + 1) * sizeof *sorted);
    size_t count = 0;
    for (enum check_severity s = CHECK_ERROR; s <= CHECK_INFO; s++)
        for (size_t i = 0; i < findings->count; i++)
            if (findings->items[i].severity == s)
                sorted[count++] = findings->items[i];
    findings->items = sorted;
    findings->capacity = findings->count;
}

static void append_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    if (!json_append_string(out, slice_str(text)))
        buf_append_str(out, "\"\"");
}

void check_render_json(const struct check_findings *findings, struct buf *out)
{
    buf_append_str(out, "{\"findings\":[");
    for (size_t i = 0; i < findings->count; i++) {
        const struct check_finding *f = &findings->items[i];
        buf_printf(out, "%s{\"severity\":\"%s\"", i ? "," : "", names[f->severity]);
        append_member(out, "where", f->where);
        append_member(out, "what", f->what);
        append_member(out, "remedy", f->remedy);
        buf_append_char(out, '}');
    }
    buf_append_str(out, "]}\n");
}

void check_render_text(const struct check_findings *findings, struct buf *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct check_finding *f = &findings->items[i];
        buf_printf(out, "%-8s %s\n         %s\n", names[f->severity], f->where, f->what);
        if (*f->remedy)
            buf_printf(out, "         -> %s\n", f->remedy);
    }
    const size_t errors = check_count(findings, CHECK_ERROR);
    const size_t warnings = check_count(findings, CHECK_WARNING);
    buf_printf(out, "%s%zu error%s, %zu warning%s\n", findings->count ? "\n" : "", errors,
               errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

void check_findings_free(struct check_findings *findings)
{
    arena_free(&findings->arena);
    *findings = (struct check_findings){0};
}
