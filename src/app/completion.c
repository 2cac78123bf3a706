#include "app/completion.h"

#include "app/command.h"

#include <ctype.h>
#include <string.h>

#define MADE_BY "made by: caes-sync completion "

static const struct command *next_command(const struct command *command)
{
    size_t count;
    const struct command *table = command_table(&count);
    if (!command)
        return table;
    return command + 1 < table + count ? command + 1 : NULL;
}

static const struct command_option_info *next_option(unsigned mask, unsigned *at)
{
    while (*at < OPT_COUNT && !(mask & 1U << *at))
        ++*at;
    return *at < OPT_COUNT ? command_option_get((enum command_option)(*at)++) : NULL;
}

static void append_commands(struct buf *out)
{
    for (const struct command *c = NULL; (c = next_command(c));)
        buf_printf(out, "%s ", c->name);
}

/* The words that a command's argument can be, each with a blank behind it. */
static void append_words(const struct command *command, struct buf *out)
{
    const char *p = command->argument ? command->argument : "";
    for (; *p; p += strcspn(p, "|"), p += *p == '|') {
        p += *p == '[';
        const int len = (int)strcspn(p, "| ]");
        if (islower((unsigned char)*p))
            buf_printf(out, "%.*s ", len, p);
        else if (strncmp(p, "COMMAND", (size_t)len) == 0)
            append_commands(out);
    }
}

/* "a|b|c" */
static void append_choices(const struct command_option_info *o, struct buf *out)
{
    for (const char *p = o->choices; p && *p; p++)
        buf_append_char(out, *p == '|' ? ' ' : *p);
}

static bool takes_file(const struct command_option_info *o)
{
    return o->value && strcmp(o->value, "FILE") == 0;
}

static void bash_option_names(unsigned mask, struct buf *out)
{
    unsigned at = 0;
    for (const struct command_option_info *o; (o = next_option(mask, &at));)
        buf_printf(out, "--%s ", o->name);
}

/* "--config|-c", for a case */
static void bash_pattern(const struct command_option_info *o, struct buf *out)
{
    buf_printf(out, "--%s", o->name);
    if (o->letter)
        buf_printf(out, "|-%c", o->letter);
}

/* What follows an option that takes a value. */
static void bash_values(struct buf *out)
{
    unsigned at = 0;
    buf_append_str(out, "    case $prev in\n");
    for (const struct command_option_info *o; (o = next_option(~0U, &at));) {
        if (!o->value)
            continue;
        buf_append_str(out, "    ");
        bash_pattern(o, out);
        buf_append_str(out, ") ");
        if (takes_file(o)) {
            buf_append_str(out, "compopt -o filenames 2>/dev/null; "
                                "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); ");
        } else if (o->choices) {
            buf_append_str(out, "mapfile -t COMPREPLY < <(compgen -W '");
            append_choices(o, out);
            buf_append_str(out, "' -- \"$cur\"); ");
        }
        buf_append_str(out, "return ;;\n");
    }
    buf_append_str(out, "    esac\n");
}

static void bash_find_command(struct buf *out)
{
    unsigned at = 0;
    const char *bar = "";
    buf_append_str(out, "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                        "        case ${COMP_WORDS[i]} in\n        ");
    for (const struct command_option_info *o; (o = next_option(~0U, &at));) {
        if (!o->value)
            continue;
        buf_append_str(out, bar);
        bash_pattern(o, out);
        bar = "|";
    }
    buf_append_str(out, ") [[ ${COMP_WORDS[++i]} != '=' ]] || ((++i)) ;;\n"
                        "        -*) ;;\n"
                        "        *) command=${command:-${COMP_WORDS[i]}}; ((++count)) ;;\n"
                        "        esac\n"
                        "    done\n");
}

static void bash_command(const struct command *command, struct buf *out)
{
    buf_printf(out, "    %s) ", command ? command->name : "''");
    buf_append_str(out, "words='");
    if (command)
        append_words(command, out);
    else
        append_commands(out);
    buf_append_str(out, "' options='");
    bash_option_names(command_options(command), out);
    buf_append_str(out, "' ;;\n");
}

void completion_bash(struct buf *out)
{
    buf_append_str(out, "# bash completion of caes-sync; " MADE_BY "bash\n"
                        "_caes_sync() {\n"
                        "    local cur=$2 prev=$3 command='' words='' options='' count=0 i\n"
                        "    COMPREPLY=()\n"
                        "    # --name=value is three words to bash\n"
                        "    [[ ${COMP_WORDS[COMP_CWORD]} != '=' ]] || cur=''\n"
                        "    [[ $prev != '=' ]] || prev=${COMP_WORDS[COMP_CWORD - 2]}\n");
    bash_values(out);
    bash_find_command(out);
    buf_append_str(out, "    case $command in\n");
    bash_command(NULL, out);
    for (const struct command *c = NULL; (c = next_command(c));)
        bash_command(c, out);
    buf_append_str(out, "    esac\n"
                        "    ((count < 2)) || words=''\n"
                        "    [[ $1 != *-daemon || $command ]] || words='start stop restart'\n"
                        "    [[ $cur != -* ]] || words=$options\n"
                        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                        "}\n"
                        "complete -F _caes_sync caes-sync caes-sync-daemon\n");
}

/* Within '': the characters that mean something there to _arguments and _describe. */
static void zsh_text(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '\'')
            buf_append_str(out, "'\\'");
        else if (strchr("[]:\\", *text))
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

static void zsh_option(const struct command_option_info *o, struct buf *out)
{
    buf_append_str(out, " \\\n            ");
    if (o->letter)
        buf_printf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter,
                   o->value ? "+" : "", o->name, o->value ? "=" : "");
    else
        buf_printf(out, "'--%s%s[", o->name, o->value ? "=" : "");
    zsh_text(o->help, out);
    buf_append_char(out, ']');
    if (o->value) {
        buf_printf(out, ":%s:", o->value);
        if (takes_file(o))
            buf_append_str(out, "_files");
        if (o->choices) {
            buf_append_char(out, '(');
            append_choices(o, out);
            buf_append_char(out, ')');
        }
    }
    buf_append_char(out, '\'');
}

static void zsh_options(unsigned mask, struct buf *out)
{
    unsigned at = 0;
    for (const struct command_option_info *o; (o = next_option(mask, &at));)
        zsh_option(o, out);
}

static void zsh_command(const struct command *command, struct buf *out)
{
    struct buf words = {0};
    append_words(command, &words);
    buf_printf(out, "        %s) _arguments", command->name);
    zsh_options(command_options(command), out);
    if (words.len)
        buf_printf(out, " \\\n            '1:argument:(%s)'", buf_cstr(&words));
    buf_append_str(out, " ;;\n");
    buf_free(&words);
}

void completion_zsh(struct buf *out)
{
    buf_append_str(out, "#compdef caes-sync\n# " MADE_BY "zsh\n"
                        "_caes_sync() {\n"
                        "    local state line curcontext=$curcontext\n"
                        "    typeset -A opt_args\n"
                        "    local -a commands=(\n");
    for (const struct command *c = NULL; (c = next_command(c));) {
        buf_printf(out, "        '%s:", c->name);
        zsh_text(c->summary, out);
        buf_append_str(out, "'\n");
    }
    buf_append_str(out, "    )\n    _arguments -C");
    zsh_options(command_options(NULL), out);
    buf_append_str(out, " \\\n            '1:command:->command' '*::argument:->argument'\n"
                        "    case $state in\n"
                        "    command) _describe command commands ;;\n"
                        "    argument)\n        case $words[1] in\n");
    for (const struct command *c = NULL; (c = next_command(c));)
        zsh_command(c, out);
    buf_append_str(out, "        esac ;;\n    esac\n}\n"
                        "if [ \"$funcstack[1]\" = _caes-sync ]; then _caes_sync \"$@\"\n"
                        "else compdef _caes_sync caes-sync; fi\n");
}

/* Within '' of fish. */
static void fish_text(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

static void fish_options(unsigned mask, const char *condition, struct buf *out)
{
    unsigned at = 0;
    for (const struct command_option_info *o; (o = next_option(mask, &at));) {
        buf_printf(out, "complete -c caes-sync%s -l %s", condition, o->name);
        if (o->letter)
            buf_printf(out, " -s %c", o->letter);
        if (o->value)
            buf_append_str(out, takes_file(o) ? " -rF" : " -x");
        if (o->choices) {
            buf_append_str(out, " -a '");
            append_choices(o, out);
            buf_append_char(out, '\'');
        }
        buf_append_str(out, " -d '");
        fish_text(o->help, out);
        buf_append_str(out, "'\n");
    }
}

static void fish_command(const struct command *command, unsigned global, struct buf *out)
{
    struct buf condition = {0};
    struct buf words = {0};
    buf_printf(&condition, " -n '__fish_seen_subcommand_from %s'", command->name);
    append_words(command, &words);
    if (words.len)
        buf_printf(out, "complete -c caes-sync%s -a '%s'\n", buf_cstr(&condition),
                   buf_cstr(&words));
    fish_options(command_options(command) & ~global, buf_cstr(&condition), out);
    buf_free(&condition);
    buf_free(&words);
}

void completion_fish(struct buf *out)
{
    const unsigned global = command_options(NULL);
    buf_append_str(out, "# fish completion of caes-sync; " MADE_BY "fish\n"
                        "complete -c caes-sync -f\n"
                        "set -l commands ");
    append_commands(out);
    buf_append_char(out, '\n');
    fish_options(global, "", out);
    for (const struct command *c = NULL; (c = next_command(c));) {
        buf_printf(out,
                   "complete -c caes-sync -n \"not __fish_seen_subcommand_from $commands\" -a %s "
                   "-d '",
                   c->name);
        fish_text(c->summary, out);
        buf_append_str(out, "'\n");
    }
    for (const struct command *c = NULL; (c = next_command(c));)
        fish_command(c, global, out);
    buf_append_str(out, "complete -c caes-sync-daemon -f -a 'start stop restart'\n");
}
