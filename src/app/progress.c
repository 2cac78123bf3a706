#include "app/progress.h"

#include "app/plain.h"
#include "base/clock.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_US = 5000000, BAR = 24, SHORT_BAR = 10, WIDTH = 80, WIDE = 110 };

void progress_open(struct progress *p, bool json,
                   void (*words)(const struct json_node *progress, struct buf *out))
{
    *p = (struct progress){.json = json,
                           .terminal = isatty(STDERR_FILENO) == 1,
                           .told_us = clock_mono_us(),
                           .doc = json_doc_new(),
                           .words = words};
}

int64_t progress_number(const struct json_node *progress, const char *name)
{
    int64_t value = 0;
    const struct json_node *node = json_member(progress, name);
    return node && json_int64(node, &value) ? value : 0;
}

double progress_real(const struct json_node *progress, const char *name)
{
    double value = 0.0;
    const struct json_node *node = json_member(progress, name);
    return node && json_read_double(node->text, &value) ? value : 0.0;
}

void progress_append_count(struct buf *out, int64_t count)
{
    if (count >= 1000) {
        progress_append_count(out, count / 1000);
        buf_printf(out, ",%03d", (int)(count % 1000));
    } else {
        buf_printf(out, "%d", (int)count);
    }
}

static size_t columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : WIDTH;
}

static void append_bar(struct buf *out, double share)
{
    const int length = columns() < WIDE ? SHORT_BAR : BAR;
    const int full = (int)(share * length + 0.5);
    buf_append_char(out, '[');
    for (int i = 0; i < length; i++)
        buf_append_char(out, i < full ? '#' : '.');
    buf_printf(out, "] %3d %%  ", (int)(share * 100.0));
}

static void show(struct progress *p, const struct json_node *progress)
{
    struct buf out = {0};
    const double share = progress_real(progress, "share");
    if (p->terminal && share > 0.0)
        append_bar(&out, share);
    p->words(progress, &out);
    if (!p->terminal) {
        buf_append_char(&out, '\n');
    } else {
        if (out.len > columns())
            out.len = columns();
        const size_t shown = out.len;
        while (out.len < p->shown) /* what is left of a longer one */
            buf_append_char(&out, ' ');
        buf_append_char(&out, '\r'); /* a line of the log takes its place */
        p->shown = shown;
    }
    (void)!fwrite(out.ptr, 1, out.len, stderr);
    buf_free(&out);
}

void progress_line(struct progress *p, struct slice line)
{
    if (p->json) {
        printf("%.*s\n", SLICE_ARG(line));
        fflush(stdout);
        return;
    }
    const int64_t now = clock_mono_us();
    if (!p->terminal && now - p->told_us < LINE_US)
        return;
    p->told_us = now;
    const struct json_node *progress =
        json_parse(p->doc, line, false, NULL) ? json_member(json_root(p->doc), "progress") : NULL;
    if (progress)
        show(p, progress);
}

static void remove_bar(struct progress *p)
{
    if (p->shown > 0)
        fprintf(stderr, "\r%*s\r", (int)p->shown, "");
    p->shown = 0;
}

void progress_note(struct progress *p, struct slice text)
{
    struct buf out = {0};
    remove_bar(p);
    plain_append(&out, text);
    fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&out)));
    buf_free(&out);
}

void progress_close(struct progress *p)
{
    remove_bar(p);
    json_doc_free(p->doc);
}
