#include "app/command.h"
#include "app/config_render.h"
#include "map/reference.h"
#include "status/metrics.h"

#include <stdio.h>
#include <string.h>

static const struct topic {
    const char *name;
    void (*help)(struct buf *out);
    void (*markdown)(struct buf *out);
} topics[] = {
    {"configuration", config_render_help, config_render_markdown},
    {"types", map_reference_help, map_reference_markdown},
    {"metrics", status_metrics_help, status_metrics_markdown},
};

static const struct topic *find_topic(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        if (strcmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}

enum exit_code cmd_help(const struct command_line *line)
{
    struct buf out = {0};
    const bool markdown = line->values[OPT_MARKDOWN] != NULL;
    const struct command *command = line->argument ? command_find(line->argument) : NULL;
    const struct topic *topic = line->argument ? find_topic(line->argument) : NULL;
    if (topic) {
        (markdown ? topic->markdown : topic->help)(&out);
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
