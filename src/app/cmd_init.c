#include "app/command.h"

#include "app/session.h"

#include <stdio.h>

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
        command_print(&said);
    else
        buf_free(&said);
    if (!fine)
        return command_fail(&err);
    if (created == 0)
        printf("nothing to do: all is there\n");
    return EXIT_DONE;
}
