#include "app/config_render.h"

#include "app/duration.h"
#include "app/option.h"

#include <string.h>

static const char logging_example[] =
    "\n"
    "# Python's logging dictConfig, for more than the keys of log can say: StreamHandler,\n"
    "# FileHandler, RotatingFileHandler, TimedRotatingFileHandler.\n"
    "#logging:\n"
    "#  version: 1\n"
    "#  formatters:\n"
    "#    simple: {format: '%(asctime)s %(levelname)s %(name)s %(message)s'}\n"
    "#  handlers:\n"
    "#    file: {class: logging.handlers.RotatingFileHandler, filename: /var/log/caes-sync.log,\n"
    "#           maxBytes: 10485760, backupCount: 5, formatter: simple}\n"
    "#  root: {level: INFO, handlers: [file]}\n";

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static size_t depth_of(const char *path)
{
    size_t depth = 0;
    for (; *path; path++)
        depth += *path == '.';
    return depth;
}

static void indent(struct buf *out, size_t depth)
{
    while (depth-- > 0)
        buf_append_str(out, "  ");
}

static bool has_required(const char *section)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    for (size_t i = 0; i < count; i++)
        if (options[i].required && strncmp(options[i].path, section, strlen(section)) == 0 &&
            options[i].path[strlen(section)] == '.')
            return true;
    return false;
}

/* How many of the sections around path stand in the example without a #. */
static size_t open_depth(const char *path)
{
    size_t depth = 0;
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        char section[OPTION_PATH_MAX] = {0};
        memcpy(section, path, (size_t)(dot - path));
        depth += has_required(section);
    }
    return depth;
}

/* "#name: value" below the last open section, so that taking the # away leaves valid YAML. */
static void example_key(const char *path, const char *ending, const char *value, struct buf *out)
{
    size_t open = open_depth(path);
    indent(out, open);
    buf_append_char(out, '#');
    indent(out, depth_of(path) - open);
    buf_printf(out, "%s%s:%s%s\n", last_name(path), ending, value ? " " : "", value ? value : "");
}

/* The sections around path that last did not have. One without required keys is commented out. */
static void open_sections(const char *path, const char *last, struct buf *out)
{
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t len = (size_t)(dot - path);
        if (last && strncmp(last, path, len + 1) == 0)
            continue;
        char section[OPTION_PATH_MAX] = {0};
        memcpy(section, path, len);
        const char *help = option_section_help(section);
        if (!strchr(section, '.'))
            buf_append_char(out, '\n');
        if (help) {
            indent(out, open_depth(section));
            buf_printf(out, "# %s\n", help);
        }
        if (has_required(section))
            buf_printf(out, "%s:\n", section);
        else
            example_key(section, "", NULL, out);
    }
}

static void example_option(const struct config_option *o, struct buf *out)
{
    indent(out, open_depth(o->path));
    buf_printf(out, "# %s%s\n", o->help, o->required ? " Required." : "");
    if (o->required) {
        indent(out, depth_of(o->path));
        buf_printf(out, "%s:\n", last_name(o->path));
        return;
    }
    example_key(o->path, "", o->fallback, out);
    if (o->type == OPTION_SECRET)
        example_key(o->path, "File", NULL, out);
}

void config_render_example(struct buf *out)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    const char *last = NULL;
    buf_append_str(out,
                   "# caes-sync: keeps a Cassandra table and an Elasticsearch index in sync.\n"
                   "# Fill in what is required; keys behind a # show the defaults. Durations are\n"
                   "# seconds, or a number with ms, s, m, h, d. ${NAME} takes an environment\n"
                   "# variable. All about it: caes-sync help configuration\n\n");
    for (size_t i = 0; i < count; i++) {
        if (options[i].support != OPTION_SUPPORTED || options[i].driver ||
            strcmp(options[i].path, "name") == 0)
            continue;
        open_sections(options[i].path, last, out);
        if (!strchr(options[i].path, '.') && last && strchr(last, '.'))
            buf_append_char(out, '\n');
        example_option(&options[i], out);
        last = options[i].path;
    }
    buf_append_str(out, logging_example);
}

static const char *type_name(const struct config_option *o)
{
    switch (o->type) {
    case OPTION_BOOL:
    case OPTION_LZ4:
        return "true or false";
    case OPTION_INT:
        return "number";
    case OPTION_DURATION:
    case OPTION_SECONDS:
    case OPTION_OVERLAP:
        return "duration";
    case OPTION_LIST:
    case OPTION_POINTS:
        return "text or list";
    case OPTION_HOSTS:
        return "hosts";
    case OPTION_PAIRS:
    case OPTION_REPLICATION:
        return "map";
    case OPTION_PATH:
        return "file";
    case OPTION_SECRET:
        return "secret";
    default:
        return "text";
    }
}

/* "1 to 65535", "s, ms, us, none", or the kind of value. */
static void append_range(const struct config_option *o, struct buf *out)
{
    if (o->type == OPTION_ENUM) {
        for (const char *p = o->choices; *p; p++)
            buf_append_str(out, *p == '|' ? ", " : (char[]){*p, '\0'});
    } else if (o->type == OPTION_INT) {
        buf_printf(out, "%lld to %lld", (long long)o->min, (long long)o->max);
    } else if (o->type == OPTION_DURATION || o->type == OPTION_SECONDS) {
        int64_t scale = o->type == OPTION_SECONDS ? 1000 : 1;
        if (o->word)
            buf_printf(out, "%s, or ", o->word);
        duration_render(o->min * scale, out);
        buf_append_str(out, " to ");
        duration_render(o->max * scale, out);
    } else {
        buf_append_str(out, type_name(o));
    }
}

static const char *support_note(const struct config_option *o)
{
    return o->support == OPTION_NO_USE ? " (Has no effect.)" : "";
}

void config_render_help(struct buf *out)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    buf_append_str(out, "Keys of the configuration, with their defaults:\n\n");
    for (size_t i = 0; i < count; i++) {
        buf_append_str(out, options[i].path);
        if (options[i].fallback)
            buf_printf(out, ": %s", options[i].fallback);
        buf_append_str(out, options[i].required ? " (required)\n" : "\n");
        buf_printf(out, "    %s [", options[i].help);
        append_range(&options[i], out);
        buf_printf(out, "]%s\n", support_note(&options[i]));
    }
    buf_append_str(out, "\nlogging\n    Python's logging dictConfig.\npipelines\n    A list of "
                        "pipelines, each with a name; keys outside it count for all.\n");
}

static void markdown_row(const struct config_option *o, struct buf *out)
{
    buf_printf(out, "| `%s`%s | ", o->path, o->type == OPTION_SECRET ? ", `…File`" : "");
    append_range(o, out);
    if (o->required)
        buf_append_str(out, " | required");
    else if (o->fallback)
        buf_printf(out, " | `%s`", o->fallback);
    else
        buf_append_str(out, " | none");
    buf_printf(out, " | %s%s |\n", o->help, support_note(o));
}

static void markdown_table(bool driver, struct buf *out)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    buf_append_str(out, "| key | values | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++)
        if (options[i].driver == driver)
            markdown_row(&options[i], out);
}

void config_render_markdown(struct buf *out)
{
    buf_append_str(
        out,
        "# Configuration\n\n"
        "Made by `caes-sync help configuration --markdown` from the table that the program reads "
        "its configuration with.\n\n"
        "The file is YAML, at most 1 MiB: `-c FILE`, else `$CAES_CONFIG`, else "
        "`~/.caes/config.yaml`, else `/etc/caes-sync/config.yaml`. `caes-sync init-config` writes "
        "a commented one.\n\n"
        "- Durations are seconds as a number, or a number with `ms`, `s`, `m`, `h`, `d`.\n"
        "- `${NAME}` in a value takes an environment variable; `$${` stands for `${`.\n"
        "- A secret may stand in a file of its own: `passwordFile: /run/secrets/es` instead of "
        "`password`; a newline at its end does not count.\n"
        "- Relative paths start at the folder of the configuration file, `~/` at the home "
        "folder.\n"
        "- An unknown key, a value of the wrong kind, a key given twice are errors: one line with "
        "file, line, key and what to do, exit code 2.\n\n");
    markdown_table(false, out);
    buf_append_str(out,
                   "\n## pipelines\n\nA list, each entry with a `name` and the keys of "
                   "`interval`, `ElasticSearchConfig`, `CassandraConfig`, `rename`, `sync` and "
                   "`verify`. What stands outside the list counts for every entry. Without the "
                   "list, the file is one pipeline named `default`.\n\n"
                   "All run in one daemon, each with a state of its own beside `state` "
                   "(`state-NAME.db`; that of `default` is `state` itself), metrics with its name, "
                   "and lines of the logger `caes.pipeline.NAME`. One whose servers are away holds "
                   "up none of the others. Those with the same settings of connections share "
                   "their connections, whose lines are of the logger `caes.pipeline`. All share "
                   "one thread; where one core is not enough for them, `workers` says over how "
                   "many threads they are spread in turn (those of one thread share connections). "
                   "`run`, `start`, `init`, `check` and `sync` are for all "
                   "of them, or for that of `--pipeline NAME`; other commands, and `--since`, are "
                   "for one. Two pipelines can't have the same index and table.\n\n"
                   "## logging\n\nPython's logging dictConfig: `formatters` with `format` (style "
                   "`%`) and `datefmt`, `handlers` (`StreamHandler`, `FileHandler`, "
                   "`RotatingFileHandler`, `TimedRotatingFileHandler`, `NullHandler`), `loggers` "
                   "(`caes`, `caes.pipeline`, …) and `root`. There are no Python files here: "
                   "`%(filename)s` and `%(module)s` come from the logger's name. Without it, lines "
                   "go to stderr, and those of a daemon in the background to a file beside "
                   "`state`.\n\n"
                   "## driver\n\nKeyword arguments of the Python drivers, as the program of 2015 "
                   "took them. Others are an error that names today's key.\n\n");
    markdown_table(true, out);
}
