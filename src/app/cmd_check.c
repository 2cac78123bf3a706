#include "app/command.h"

#include "app/colour.h"
#include "app/session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "FILE:LINE: key: what is wrong; what to do" as a finding. */
static void add_config_error(struct check_findings *findings, const char *file,
                             const struct err *err)
{
    struct err own = *err;
    const char *where = "configuration";
    unsigned line;
    char key[200];
    const size_t len = file ? strlen(file) : 0;
    if (file && strncmp(err->text, file, len) == 0 &&
        sscanf(err->text + len, ":%u: %199[^: ]: ", &line, key) == 2) {
        where = check_text(findings, "configuration %s (line %u)", key, line);
        const char *what = strstr(err->text + len, key) + strlen(key) + 2;
        memmove(own.text, own.text + (what - err->text), strlen(what) + 1);
    }
    check_add_err(findings, CHECK_ERROR, where, &own, "");
}

static void print_findings(const struct command_line *line, struct check_findings *findings)
{
    struct buf out = {0};
    check_sort(findings);
    if (line->values[OPT_JSON]) {
        check_render_json(findings, &out);
    } else {
        check_render_text(findings, &out);
        colour_lines(STDOUT_FILENO, &out);
    }
    command_print(&out);
}

/* Nothing to look at: in text, the line on stderr says it all. */
static enum exit_code refuse_config(const struct command_line *line, const struct session *s,
                                    const struct err *err)
{
    struct check_findings findings = {0};
    if (line->values[OPT_JSON]) {
        add_config_error(&findings, s->file, err);
        print_findings(line, &findings);
    }
    check_findings_free(&findings);
    return command_fail(err);
}

/* Findings of one pipeline among several name it. */
static bool check_all(const struct session *s, struct check_findings *findings, struct err *err)
{
    bool reached = true;
    for (size_t i = 0; i < s->engine_count; i++) {
        const size_t before = findings->count;
        struct err one = {0};
        if (!engine_check(s->engines[i], findings, &one) && reached) {
            reached = false;
            *err = one;
        }
        for (size_t j = before; s->engine_count > 1 && j < findings->count; j++)
            findings->items[j].where = check_text(
                findings, "%s: %s", engine_settings(s->engines[i])->name, findings->items[j].where);
    }
    return reached;
}

enum exit_code cmd_check(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    struct check_findings findings = {0};
    enum exit_code code = EXIT_DONE;
    if (!session_open(&s, line, &err) || !session_log(&s, &err) || !session_loop(&s, &err) ||
        !session_engines(&s, false, &err)) {
        code = refuse_config(line, &s, &err);
        session_close(&s);
        return code;
    }
    const bool reached = check_all(&s, &findings, &err);
    print_findings(line, &findings);
    if (!reached) {
        command_fail(&err);
        code = EXIT_SERVER;
    } else if (check_count(&findings, CHECK_ERROR)) {
        code = EXIT_FOUND;
    }
    session_close(&s);
    check_findings_free(&findings);
    return code;
}
