#include "app/roff.h"

#include <ctype.h>
#include <stdlib.h>
#include <time.h>

enum { CELLS = 8 };

static void append_date(struct buf *out)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    time_t when = epoch ? (time_t)strtoll(epoch, &end, 10) : time(NULL);
    struct tm day;
    if (epoch && (end == epoch || *end))
        when = 0;
    if (gmtime_r(&when, &day))
        buf_printf(out, "%04d-%02d-%02d", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

void roff_text(struct slice text, struct buf *out)
{
    static const struct {
        char c;
        const char *roff;
    } specials[] = {
        {'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"}, {'`', "\\(ga"},
        {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"},
    };
    if (text.len && text.ptr[0] == '.') /* else a request, at the beginning of a line */
        buf_append_str(out, "\\&");
    for (size_t i = 0; i < text.len; i++) {
        const char *roff = NULL;
        for (size_t s = 0; s < sizeof specials / sizeof specials[0]; s++)
            if (text.ptr[i] == specials[s].c)
                roff = specials[s].roff;
        if (roff)
            buf_append_str(out, roff);
        else
            buf_append_char(out, text.ptr[i]);
    }
}

void roff_head(const char *name, int section, const char *what, struct buf *out)
{
    buf_append_str(out, ".TH ");
    for (const char *c = name; *c; c++) {
        const char upper = (char)toupper((unsigned char)*c);
        roff_text(slice_of(&upper, 1), out);
    }
    buf_printf(out, " %d ", section);
    append_date(out);
    buf_printf(out, " \"caes-sync %s\"\n.SH NAME\n", CAES_VERSION);
    roff_text(slice_str(name), out);
    buf_printf(out, " \\- %s\n", what);
}

static const char *find(struct slice text, const char *what)
{
    return memmem(text.ptr, text.len, what, strlen(what));
}

static struct slice until(struct slice text, const char *end)
{
    return slice_of(text.ptr, (size_t)(end - text.ptr));
}

static struct slice after(struct slice text, const char *start)
{
    return slice_of(start, text.len - (size_t)(start - text.ptr));
}

/* `code` in bold, [text](place) as its text. */
static void append_inline(struct slice text, struct buf *out)
{
    while (text.len) {
        const char *tick = find(text, "`");
        const char *end = tick ? find(after(text, tick + 1), "`") : NULL;
        const char *link = find(text, "](");
        const char *open = link ? memrchr(text.ptr, '[', (size_t)(link - text.ptr)) : NULL;
        const char *close = open ? find(after(text, link), ")") : NULL;
        if (end && !(close && open < tick)) {
            roff_text(until(text, tick), out);
            buf_append_str(out, "\\fB");
            roff_text(until(after(text, tick + 1), end), out);
            buf_append_str(out, "\\fR");
            text = after(text, end + 1);
        } else if (close) {
            roff_text(until(text, open), out);
            roff_text(until(after(text, open + 1), link), out);
            text = after(text, close + 1);
        } else {
            roff_text(text, out);
            return;
        }
    }
}

static struct slice trim(struct slice text)
{
    while (text.len && text.ptr[0] == ' ')
        text = after(text, text.ptr + 1);
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* "| a | b |" */
static size_t split(struct slice line, struct slice cells[CELLS])
{
    size_t count = 0;
    line = after(line, line.ptr + 1);
    while (count < CELLS) {
        const char *bar = find(line, "|");
        if (!bar)
            break;
        cells[count++] = trim(until(line, bar));
        line = after(line, bar + 1);
    }
    return count;
}

static void append_row(struct slice line, const struct slice *names, struct buf *out)
{
    struct slice cells[CELLS];
    const size_t count = split(line, cells);
    if (count < 2 || find(cells[0], "---") == cells[0].ptr)
        return;
    buf_append_str(out, ".TP 4\n");
    append_inline(cells[0], out);
    buf_append_char(out, '\n');
    append_inline(cells[count - 1], out);
    for (size_t i = 1; i + 1 < count; i++) {
        buf_append_str(out, i == 1 ? "\n.br\n" : "; ");
        append_inline(names[i], out);
        buf_append_str(out, ": ");
        append_inline(cells[i], out);
    }
    buf_append_char(out, '\n');
}

static void append_heading(struct slice line, struct buf *out)
{
    const char *c = line.ptr + strspn(line.ptr, "# ");
    buf_append_str(out, ".SH \"");
    for (; c < line.ptr + line.len; c++)
        buf_append_char(out, (char)toupper((unsigned char)*c));
    buf_append_str(out, "\"\n");
}

enum place { HEADING, BLANK, INSIDE };

static enum place append_line(struct slice line, enum place before, struct buf *out)
{
    if (!line.len)
        return before == HEADING ? HEADING : BLANK;
    if (line.ptr[0] == '#') {
        append_heading(line, out);
        return HEADING;
    }
    if (find(line, "- ") == line.ptr) {
        buf_append_str(out, ".IP \\(bu 2\n");
        line = after(line, line.ptr + 2);
    } else if (before == BLANK) {
        buf_append_str(out, ".PP\n");
    }
    append_inline(line, out);
    buf_append_char(out, '\n');
    return INSIDE;
}

void roff_markdown(const char *markdown, struct buf *out)
{
    struct slice names[CELLS] = {{0}};
    bool table = false;
    enum place place = HEADING;
    buf_append_str(out, ".SH DESCRIPTION\n");
    for (const char *p = strchr(markdown, '\n'); p && *p; p += *p == '\n') {
        const struct slice line = slice_of(p, strcspn(p, "\n"));
        p += line.len;
        const bool row = line.len && line.ptr[0] == '|';
        if (row && table)
            append_row(line, names, out);
        else if (row)
            split(line, names);
        else
            place = append_line(line, place, out);
        table = row;
    }
}
