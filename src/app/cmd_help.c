#include "app/command.h"
#include "app/config_render.h"

#include <stdio.h>
#include <string.h>

enum exit_code cmd_help(const struct command_line *line)
{
    struct buf out = {0};
    bool markdown = line->values[OPT_MARKDOWN] != NULL;
    const struct command *command = line->argument ? command_find(line->argument) : NULL;
    if (line->argument && strcmp(line->argument, "configuration") == 0) {
        if (markdown)
            config_render_markdown(&out);
        else
            config_render_help(&out);
    } else if (line->argument && !command) {
        struct err err = {0};
        err_set(&err, ERR_CONFIG, "no help on \"%.60s\"; caes-sync help lists the commands",
                line->argument);
        return command_fail(&err);
    } else {
        command_help(command, &out);
    }
    command_print(&out);
    return EXIT_DONE;
}

enum exit_code cmd_version(const struct command_line *line)
{
    (void)line;
    printf("caes-sync %s\n", CAES_VERSION);
    return EXIT_DONE;
}
