#include "app/manual.h"

#include "app/command.h"
#include "app/config_render.h"
#include "app/roff.h"

#include <string.h>

static void text(const char *what, struct buf *out)
{
    roff_text(slice_str(what), out);
}

static void append_option(const struct command_option_info *o, struct buf *out)
{
    buf_append_str(out, ".TP\n\\fB");
    if (o->letter)
        buf_printf(out, "\\-%c\\fR, \\fB", o->letter);
    buf_append_str(out, "\\-\\-");
    text(o->name, out);
    buf_append_str(out, "\\fR");
    if (o->value)
        buf_printf(out, " \\fI%s\\fR", o->value);
    buf_append_char(out, '\n');
    struct buf help = {0};
    buf_append_str(&help, o->help);
    command_append_choices(o, &help);
    roff_text(buf_slice(&help), out);
    buf_append_char(out, '\n');
    buf_free(&help);
}

static void append_options(unsigned mask, struct buf *out)
{
    for (unsigned i = 0; i < OPT_COUNT; i++)
        if (mask & 1U << i)
            append_option(command_option_get((enum command_option)i), out);
}

/* Prose is filled; lines that begin with blanks are examples, and stay as they are. */
static void append_help(const char *help, struct buf *out)
{
    bool example = false;
    for (const char *p = help; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        const struct slice line = slice_of(p, strcspn(p, "\n"));
        const bool indented = line.len && line.ptr[0] == ' ';
        if (!line.len || (indented && !example && p == help))
            buf_append_str(out, ".PP\n");
        if (indented && !example)
            buf_append_str(out, ".nf\n.RS 4\n");
        if (example && !indented && line.len)
            buf_append_str(out, ".RE\n.fi\n.PP\n");
        if (line.len) {
            example = indented;
            roff_text(slice_of(p + 2 * indented, line.len - 2 * indented), out);
            buf_append_char(out, '\n');
        }
    }
    if (example)
        buf_append_str(out, ".RE\n.fi\n");
}

static void append_command(const struct command *command, struct buf *out)
{
    buf_append_str(out, ".SS \"");
    text(command->name, out);
    if (command->argument) {
        buf_append_char(out, ' ');
        text(command->argument, out);
    }
    buf_append_str(out, "\"\n");
    text(command->summary, out);
    buf_append_str(out, ".\n");
    if (command->help) {
        if (command->help[0] != ' ')
            buf_append_str(out, ".PP\n");
        append_help(command->help, out);
    }
    append_options(command->options, out);
}

void manual_program(struct buf *out)
{
    size_t count;
    const struct command *commands = command_table(&count);
    roff_head("caes-sync", 1, COMMAND_SUMMARY, out);
    buf_append_str(out,
                   ".SH SYNOPSIS\n"
                   ".B caes\\-sync\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENT\\fR]\n.br\n"
                   ".B caes\\-sync\\-daemon\nstart|stop|restart\n"
                   ".SH DESCRIPTION\nWhat it promises and why is in its documentation, "
                   "semantics.md. The configuration is described in\n"
                   ".BR caes\\-sync.yaml (5).\n.SH OPTIONS\nThese belong to every command.\n");
    append_options(command_options(NULL), out);
    buf_append_str(out, ".SH COMMANDS\n");
    for (size_t i = 0; i < count; i++)
        append_command(&commands[i], out);
    buf_append_str(out, ".SH EXIT STATUS\n");
    for (enum exit_code code = EXIT_DONE; code <= EXIT_STATE; code++) {
        buf_printf(out, ".TP\n.B %d\n", (int)code);
        text(exit_code_meaning(code), out);
        buf_append_char(out, '\n');
    }
    buf_append_str(out, ".SH ENVIRONMENT\n.TP\n.B CAES_CONFIG\nthe configuration, without "
                        "\\fB\\-c\\fR\n.TP\n.B NO_COLOR\nno colours on a terminal either\n"
                        ".SH SEE ALSO\n.BR caes\\-sync.yaml (5)\n");
}

void manual_configuration(struct buf *out)
{
    struct buf page = {0};
    config_render_markdown(&page);
    roff_head("caes-sync.yaml", 5, "configuration of caes\\-sync", out);
    roff_markdown(buf_cstr(&page), out);
    buf_append_str(out, ".SH SEE ALSO\n.BR caes\\-sync (1)\n");
    buf_free(&page);
}
