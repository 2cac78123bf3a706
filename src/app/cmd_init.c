#include "app/command.h"

#include "app/session.h"
#include "base/json.h"

#include <stdio.h>

static void print_said(const struct command_line *line, struct buf *said, int created)
{
    if (!line->values[OPT_JSON]) {
        command_print(said);
        return;
    }
    struct buf out = {0};
    buf_printf(&out, "{\"dry_run\":%s,\"created\":%d,",
               line->values[OPT_DRY_RUN] ? "true" : "false", created);
    json_append_member(&out, "text", buf_slice(said));
    buf_append_str(&out, "}\n");
    command_print(&out);
    buf_free(said);
}

enum exit_code cmd_init(const struct command_line *line)
{
    struct session s;
    struct err err = {0};
    struct buf said = {0};
    int created = 0;
    bool dry_run = line->values[OPT_DRY_RUN] != NULL;
    bool fine = session_open(&s, line, &err) && session_log(&s, &err) && session_loop(&s, &err) &&
                session_engines(&s, false, &err);
    for (size_t i = 0; fine && i < s.engine_count; i++) {
        int more = 0;
        fine = engine_init(s.engines[i], dry_run, &said, &more, &err);
        created += more;
    }
    session_close(&s);
    if (said.len || fine)
        print_said(line, &said, created);
    else
        buf_free(&said);
    if (!fine)
        return command_fail(&err);
    if (created == 0 && !line->values[OPT_JSON])
        printf("nothing to do: all is there\n");
    return EXIT_DONE;
}
