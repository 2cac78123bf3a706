#include "app/colour.h"

#include <stdlib.h>
#include <unistd.h>

#define YELLOW "\033[33m"
#define BOLD   "\033[1m"

bool colour_wanted(int fd)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return !(no && *no) && term && strcmp(term, "dumb") != 0 && isatty(fd) == 1;
}

static void append_line(struct slice line, struct buf *out)
{
    static const struct {
        const char *start;
        const char *colour;
    } starts[] = {
        {"error", COLOUR_RED}, {"warning", YELLOW},   {"Commands:", BOLD},
        {"Options:", BOLD},    {"Exit codes:", BOLD},
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        const size_t len = strlen(starts[i].start);
        if (line.len < len || memcmp(line.ptr, starts[i].start, len) != 0 ||
            (line.len > len && line.ptr[len] != ' '))
            continue;
        buf_printf(out, "%s%s" COLOUR_END, starts[i].colour, starts[i].start);
        line = slice_of(line.ptr + len, line.len - len);
        break;
    }
    buf_append_slice(out, line);
}

void colour_lines(int fd, struct buf *text)
{
    struct buf out = {0};
    if (!colour_wanted(fd))
        return;
    for (const char *p = buf_cstr(text); *p;) {
        const size_t len = strcspn(p, "\n");
        append_line(slice_of(p, len), &out);
        p += len;
        if (*p) {
            buf_append_char(&out, '\n');
            p++;
        }
    }
    buf_free(text);
    *text = out;
}
