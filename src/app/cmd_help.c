#include "app/colour.h"
#include "app/command.h"
#include "app/config_render.h"
#include "app/manual.h"
#include "map/reference.h"
#include "status/metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct topic {
    const char *name;
    void (*help)(struct buf *out);
    void (*markdown)(struct buf *out);
    void (*man)(struct buf *out); /* or NULL */
} topics[] = {
    {"configuration", config_render_help, config_render_markdown, manual_configuration},
    {"types", map_reference_help, map_reference_markdown, NULL},
    {"metrics", status_metrics_help, status_metrics_markdown, NULL},
};

static const struct topic *find_topic(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        if (strcmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}

static bool render_help(const struct command_line *line, struct buf *out, struct err *err)
{
    const char *name = line->argument;
    const struct command *command = name ? command_find(name) : NULL;
    const struct topic *topic = name ? find_topic(name) : NULL;
    if (name && !command && !topic)
        return err_set(err, ERR_CONFIG, "no help on \"%.60s\"; caes-sync help lists the commands",
                       name);
    if (line->values[OPT_MAN] && (topic ? !topic->man : command != NULL))
        return err_set(err, ERR_CONFIG,
                       "%s has no manual page of its own; leave --man out, or the name", name);
    if (line->values[OPT_MAN]) {
        (topic ? topic->man : manual_program)(out);
    } else if (topic) {
        (line->values[OPT_MARKDOWN] ? topic->markdown : topic->help)(out);
    } else {
        command_help(command, out);
        colour_lines(STDOUT_FILENO, out);
    }
    return true;
}

enum exit_code cmd_help(const struct command_line *line)
{
    struct buf out = {0};
    struct err err = {0};
    if (!render_help(line, &out, &err))
        return command_fail(&err);
    command_print(&out);
    return EXIT_DONE;
}

enum exit_code cmd_version(const struct command_line *line)
{
    (void)line;
    printf("caes-sync %s\n", CAES_VERSION);
    return EXIT_DONE;
}
