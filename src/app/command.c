#include "app/command.h"

#include "app/colour.h"
#include "app/config_value.h"
#include "app/journal.h"
#include "app/logging_config.h"
#include "app/nearest.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BIT(option) (1U << (option))

enum { GLOBAL = BIT(OPT_CONFIG) | BIT(OPT_LOG_LEVEL) | BIT(OPT_PIPELINE) | BIT(OPT_HELP) };

static const struct command_option_info options[OPT_COUNT] = {
    [OPT_CONFIG] = {"config", 'c', "FILE", NULL,
                    "configuration; else $CAES_CONFIG, ~/.caes/config.yaml, "
                    "/etc/caes-sync/config.yaml"},
    [OPT_LOG_LEVEL] = {"log-level", 0, "LEVEL", "debug|info|warning|error",
                       "least that is logged; overrules the configuration"},
    [OPT_PIPELINE] = {"pipeline", 0, "NAME", NULL, "only this pipeline"},
    [OPT_HELP] = {"help", 'h', NULL, NULL, "this text"},
    [OPT_VERSION] = {"version", 0, NULL, NULL, "the program's version"},
    [OPT_JSON] = {"json", 0, NULL, NULL, "one JSON object on stdout at the end"},
    [OPT_SINCE] = {"since", 0, "V", NULL,
                   "start from version V (inclusive) instead of the checkpoint"},
    [OPT_ONCE] = {"once", 0, NULL, NULL, "is implied"},
    [OPT_DRY_RUN] = {"dry-run", 0, NULL, NULL, "only say what would be done"},
    [OPT_PRINT] = {"print", 0, NULL, NULL, "to stdout, not into a file"},
    [OPT_RATE] = {"rate", 0, "N", NULL, "at most N records a second"},
    [OPT_SAMPLE] = {"sample", 0, "N", NULL, "only about N records of each side, picked by chance"},
    [OPT_MEMORY] = {"memory", 0, "SIZE", NULL, "for sorting, beyond it temporary files; 64M"},
    [OPT_RANGE] = {"range", 0, "A..B", NULL, "only partitions with tokens above A, up to B"},
    [OPT_KEYS_TO] = {"keys-to", 0, "FILE", NULL,
                     "write each differing key to FILE, a JSON object a line"},
    [OPT_KEYS] = {"keys", 0, "FILE", NULL,
                  "mend the records of FILE, as --keys-to of verify wrote it"},
    [OPT_POLICY] = {"policy", 0, "SIDE", "newest|elasticsearch|cassandra", "which side is right"},
    [OPT_MISSING] = {"missing", 0, "HOW", "copy|delete",
                     "what is done with a record on one side only"},
    [OPT_FROM] = {"from", 0, "SIDE", "cassandra|elasticsearch", "which side is copied"},
    [OPT_RESUME] = {"resume", 0, NULL, NULL, "go on with a load that was not finished"},
    [OPT_RELAX] = {"relax", 0, NULL, NULL,
                   "no refresh and no replicas of the index until it is done"},
    [OPT_MARKDOWN] = {"markdown", 0, NULL, NULL, "a topic as its page in docs/"},
    [OPT_MAN] = {"man", 0, NULL, NULL, "the manual page: caes-sync(1), or caes-sync.yaml(5)"},
};

static const struct command commands[] = {
    {"run", NULL, 0, BIT(OPT_SINCE), cmd_run, "sync in the foreground",
     "Runs until SIGTERM or SIGINT, which finish the batch at hand and save (within 20 s, also\n"
     "when a server hangs). SIGHUP reads the configuration again.\n\n"
     "  caes-sync run\n"
     "  caes-sync -c /etc/caes-sync/config.yaml run --since 1427254212\n"},
    {"start", NULL, 0, BIT(OPT_SINCE), cmd_start, "sync in the background",
     "Returns when the daemon is up: configuration read, state open. Its log goes where the\n"
     "configuration says, else to a file beside the state.\n\n"
     "  caes-sync start\n"
     "  caes-sync-daemon start\n"},
    {"stop", NULL, 0, 0, cmd_stop, "end the daemon",
     "Waits up to 30 s for it to finish its batch and save.\n\n"
     "  caes-sync stop\n"},
    {"restart", NULL, 0, BIT(OPT_SINCE), cmd_restart, "stop, then start",
     "  caes-sync restart\n"
     "  caes-sync-daemon restart\n"},
    {"status", NULL, 0, BIT(OPT_JSON), cmd_status, "what the daemon does",
     "Exit code 0: healthy, 1: not, 4: not running.\n\n"
     "  caes-sync status\n"
     "  caes-sync status --json | jq .pipelines\n"},
    {"reload", NULL, 0, 0, cmd_reload, "let the daemon read its configuration again",
     "The same as SIGHUP, but tells what is wrong with the file.\n\n"
     "  caes-sync reload\n"},
    {"pause", NULL, 0, BIT(OPT_JSON), cmd_pause, "copy nothing until resume",
     "Ends the batch at hand; from then on nothing is read or written by itself, also after a\n"
     "restart, and also by sync and load. What is asked for beside that (dlq retry, repair,\n"
     "verify) is done. After a pause longer than CassandraConfig.ttl changes may be missing (a\n"
     "gap): repair closes it.\n\n"
     "  caes-sync pause\n"
     "  caes-sync resume\n"},
    {"resume", NULL, 0, BIT(OPT_JSON), cmd_resume, "go on after a pause",
     "From where the pause began: what was written meanwhile is copied.\n\n"
     "  caes-sync resume\n"},
    {"sync", NULL, 0, BIT(OPT_SINCE) | BIT(OPT_ONCE) | BIT(OPT_JSON), cmd_sync,
     "one cycle both ways, then exit",
     "Goes on until no key is put off, and says how many records went each way. Exit code 1 when\n"
     "dead letters were made.\n\n"
     "  caes-sync sync\n"
     "  caes-sync sync --since 1427254212 --json\n"},
    {"init", NULL, 0, BIT(OPT_DRY_RUN) | BIT(OPT_JSON), cmd_init,
     "create keyspace, tables and index that are missing",
     "Prints the CQL and JSON (--json: as text, with how many things were or would be created);\n"
     "touches nothing that exists.\n\n"
     "  caes-sync init --dry-run\n"},
    {"check", NULL, 0, BIT(OPT_JSON), cmd_check, "say what would go wrong, before it does",
     "Looks at configuration, servers, tables, index and a sample of real data, and writes\n"
     "nothing. Exit code 0: no errors (warnings may be), 1: errors, 3: a server can't be reached\n"
     "or refuses.\n\n"
     "  caes-sync check\n"
     "  caes-sync check --json | jq '.findings[] | select(.severity == \"error\")'\n"},
    {"init-config", NULL, 0, BIT(OPT_PRINT), cmd_init_config, "write a commented configuration",
     "To -c FILE, else ~/.caes/config.yaml; never over an existing one.\n\n"
     "  caes-sync init-config\n"
     "  caes-sync -c /etc/caes-sync/config.yaml init-config\n"},
    {"dlq", "list|show KEY|retry [KEY]|purge [KEY]", 2, BIT(OPT_JSON), cmd_dlq,
     "the dead letters: changes that could not be copied",
     "list names them with their reasons, show prints one record's with its content. retry tries\n"
     "them again (one record's, or all): what somebody asks for is done, also where a row that\n"
     "nobody can explain is written over, or deletes are more than maxDeletes. purge forgets them\n"
     "without copying. A newer version of the record settles its dead letters by itself.\n"
     "Exit code 1: there are dead letters (list), they are still dead (retry), or there are none\n"
     "for the key.\n\n"
     "  caes-sync dlq list\n"
     "  caes-sync dlq show ed31ee76-d49a-4c05-8f0a-6a856a94de8e\n"
     "  caes-sync dlq retry --json\n"},
    {"explain", "KEY", 1, BIT(OPT_JSON), cmd_explain, "one record on both sides, and what is done",
     "Shows the record as both stores have it, with versions and write times, what the daemon "
     "would\n"
     "do with it and the rule that says so. Writes nothing. Exit code 1: the key is on neither "
     "side.\n\n"
     "  caes-sync explain ed31ee76-d49a-4c05-8f0a-6a856a94de8e\n"},
    {"verify", NULL, 0,
     BIT(OPT_JSON) | BIT(OPT_SAMPLE) | BIT(OPT_SINCE) | BIT(OPT_RATE) | BIT(OPT_MEMORY) |
         BIT(OPT_RANGE) | BIT(OPT_KEYS_TO),
     cmd_verify, "compare every record of both stores",
     "Reads both stores once, in bounded memory, beside the daemon and while applications write: "
     "what\n"
     "differs is read again until it is equal or has stood still for longer than a change takes to "
     "the\n"
     "other side. Writes nothing. --since V: only records that were written with version V or "
     "later.\n"
     "Exit code 0: equal, 1: there are differences.\n\n"
     "  caes-sync verify\n"
     "  caes-sync verify --sample 10000\n"
     "  caes-sync verify --rate 5000 --keys-to differences.jsonl --json\n"},
    {"load", NULL, 0,
     BIT(OPT_JSON) | BIT(OPT_FROM) | BIT(OPT_RESUME) | BIT(OPT_RATE) | BIT(OPT_RELAX), cmd_load,
     "copy everything that one side has to the other",
     "Beside the daemon's cycles (without a daemon it runs them itself), so that nothing that is\n"
     "written meanwhile is missed, and `run` goes on from there. Nothing newer is overwritten. A\n"
     "row's version is that of versionColumn, else of its entry, else of its write time. Killed, "
     "it\n"
     "goes on with --resume. Overload of a server makes it slower. --relax (into the index only)\n"
     "sets refresh_interval to -1 and number_of_replicas to 0; they are restored at the end, at\n"
     "the latest by the next command. Exit code 1: something could not be copied (dlq list).\n\n"
     "  caes-sync load --from cassandra\n"
     "  caes-sync load --from elasticsearch --rate 5000\n"
     "  caes-sync load --from cassandra --resume --json\n"},
    {"repair", NULL, 0,
     BIT(OPT_JSON) | BIT(OPT_DRY_RUN) | BIT(OPT_POLICY) | BIT(OPT_MISSING) | BIT(OPT_KEYS) |
         BIT(OPT_SINCE) | BIT(OPT_RATE) | BIT(OPT_MEMORY) | BIT(OPT_RANGE),
     cmd_repair, "mend what verify finds, and prove it",
     "Brings over what is new, compares both stores as verify does (or takes the records of "
     "--keys),\n"
     "writes by the policy through the same guards as the daemon, and reads each record again.\n"
     "newest (the default): the higher version wins, a tie goes by sync.tie. With elasticsearch "
     "or\n"
     "cassandra that side wins whatever the versions are. What is on one side only is copied, or "
     "with\n"
     "--missing delete removed, unless the version of its delete is known. Also settles the dead "
     "letters\n"
     "of rows that nobody could explain, and closes a gap. Exit code 1: something could not be "
     "mended.\n\n"
     "  caes-sync repair --dry-run\n"
     "  caes-sync repair\n"
     "  caes-sync repair --keys differences.jsonl --policy cassandra --missing delete\n"},
    {"completion", "bash|zsh|fish", 1, 0, cmd_completion, "a shell's completion of all this",
     "make install and the package put them where the shells find them.\n\n"
     "  source <(caes-sync completion bash)\n"
     "  caes-sync completion fish >~/.config/fish/completions/caes-sync.fish\n"},
    {"help", "[COMMAND|configuration|types|metrics]", 1, BIT(OPT_MARKDOWN) | BIT(OPT_MAN), cmd_help,
     "this, a command, or a topic",
     "  caes-sync help sync\n"
     "  caes-sync help configuration\n"
     "  caes-sync help types\n"
     "  caes-sync help metrics\n"
     "  caes-sync help configuration --man | man -l -\n"},
    {"version", NULL, 0, 0, cmd_version, "the program's version", "  caes-sync version\n"},
};

/* The seed's program of this name knew these. */
static const char *const daemon_commands[] = {"start", "stop", "restart"};

const struct command *command_table(size_t *count)
{
    *count = ARRAY_LEN(commands);
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const struct command_option_info *command_option_get(enum command_option option)
{
    return &options[option];
}

unsigned command_options(const struct command *command)
{
    return GLOBAL | (command ? command->options : BIT(OPT_VERSION));
}

static bool unknown(struct err *err, const char *kind, const char *name, const char *best,
                    unsigned distance, const char *dashes)
{
    if (nearest_plausible(name, distance))
        return err_set(err, ERR_CONFIG, "unknown %s \"%s%.60s\"; did you mean \"%s%s\"?", kind,
                       dashes, name, dashes, best);
    return err_set(err, ERR_CONFIG, "unknown %s \"%s%.60s\"; caes-sync help lists all", kind,
                   dashes, name);
}

static bool unknown_command(const char *name, struct err *err)
{
    const char *best = "";
    unsigned least = UINT_MAX;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        unsigned distance = nearest_distance(name, commands[i].name);
        if (distance < least) {
            least = distance;
            best = commands[i].name;
        }
    }
    return unknown(err, "command", name, best, least, "");
}

static bool unknown_option(char *const *argv, struct err *err)
{
    const char *given = argv[optind - 1];
    if (optopt && optopt < 1000) /* may stand in a word that getopt is not through with */
        return err_set(err, ERR_CONFIG, "unknown option \"-%c\"; caes-sync help lists all", optopt);
    char name[64];
    const char *best = "";
    unsigned least = UINT_MAX;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    for (size_t i = 0; i < OPT_COUNT; i++) {
        unsigned distance = nearest_distance(name, options[i].name);
        if (distance < least) {
            least = distance;
            best = options[i].name;
        }
    }
    if (least == 0)
        return err_set(err, ERR_CONFIG, "option --%s takes no value", name);
    return unknown(err, "option", name, best, least, "--");
}

/* getopt_long wants arrays of its own kind. */
static int next_option(int argc, char **argv)
{
    struct option longs[OPT_COUNT + 1] = {0};
    char letters[OPT_COUNT * 2 + 2] = ":";
    for (size_t i = 0; i < OPT_COUNT; i++) {
        longs[i].name = options[i].name;
        longs[i].has_arg = options[i].value ? required_argument : no_argument;
        longs[i].val = 1000 + (int)i;
        size_t len = strlen(letters);
        if (options[i].letter)
            snprintf(letters + len, sizeof letters - len, "%c%s", options[i].letter,
                     options[i].value ? ":" : "");
    }
    int got = getopt_long(argc, argv, letters, longs, NULL);
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (options[i].letter && got == options[i].letter)
            return 1000 + (int)i;
    return got;
}

static bool check_options(const struct command_line *line, struct err *err)
{
    const struct command *command = line->command;
    unsigned allowed = BIT(OPT_VERSION) | command_options(command);
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (line->values[i] && !(allowed & BIT(i)))
            return err_set(err, ERR_CONFIG,
                           "option --%s does not belong to %s; see caes-sync help %s",
                           options[i].name, command->name, command->name);
    return true;
}

static bool check_values(struct command_line *line, struct err *err)
{
    const char *level = line->values[OPT_LOG_LEVEL];
    const char *since = line->values[OPT_SINCE];
    if (line->values[OPT_CONFIG] && !line->values[OPT_CONFIG][0])
        return err_set(err, ERR_CONFIG, "--config is empty; name a file, or leave it out");
    if (level && !logging_level_parse(level, &line->log_level))
        return err_set(err, ERR_CONFIG,
                       "--log-level \"%.60s\" is no level; give debug, info, warning or error",
                       level);
    if (since && (!config_value_int(since, &line->since) || line->since < 1))
        return err_set(err, ERR_CONFIG, "--since \"%.60s\" is no version; give a number above 0",
                       since);
    return true;
}

static bool is_daemon_program(const char *program)
{
    const char *slash = strrchr(program, '/');
    return strcmp(slash ? slash + 1 : program, "caes-sync-daemon") == 0;
}

static bool check_daemon_program(const struct command_line *line, struct err *err)
{
    if (!line->command || line->values[OPT_HELP] || line->values[OPT_VERSION])
        return true;
    for (size_t i = 0; i < ARRAY_LEN(daemon_commands); i++)
        if (strcmp(line->command->name, daemon_commands[i]) == 0)
            return true;
    return err_set(err, ERR_CONFIG,
                   "caes-sync-daemon only knows start, stop and restart; use caes-sync %s",
                   line->command->name);
}

static bool take_words(int argc, char **argv, struct command_line *line, struct err *err)
{
    int words = argc - optind;
    if (words == 0)
        return true;
    line->command = command_find(argv[optind]);
    if (!line->command)
        return unknown_command(argv[optind], err);
    line->argument = words > 1 ? argv[optind + 1] : NULL;
    line->argument2 = words > 2 ? argv[optind + 2] : NULL;
    int extra = 1 + (int)line->command->arguments;
    if (words > extra)
        return err_set(err, ERR_CONFIG, "\"%.60s\" is too much for %s; see caes-sync help %s",
                       argv[optind + extra], line->command->name, line->command->name);
    return true;
}

bool command_parse(int argc, char **argv, struct command_line *line, struct err *err)
{
    *line = (struct command_line){.log_level = LOGGING_UNSET};
    opterr = 0;
    optind = 0; /* also forgets an earlier run */
    for (int got; (got = next_option(argc, argv)) != -1;) {
        if (got == ':')
            return err_set(err, ERR_CONFIG, "option %.60s needs a value; see caes-sync help",
                           argv[optind - 1]);
        if (got == '?')
            return unknown_option(argv, err);
        line->values[got - 1000] = optarg ? optarg : "";
    }
    if (!take_words(argc, argv, line, err))
        return false;
    if (is_daemon_program(argv[0]) && !check_daemon_program(line, err))
        return false;
    if (!line->command)
        return line->values[OPT_HELP] || line->values[OPT_VERSION] ||
               err_set(err, ERR_CONFIG, "no command; caes-sync help lists them");
    return check_options(line, err) && check_values(line, err);
}

void command_append_choices(const struct command_option_info *option, struct buf *out)
{
    for (const char *p = option->choices; p && *p; p += strcspn(p, "|"), p += *p == '|')
        buf_printf(out, "%s%.*s", p == option->choices ? ": " : ", ", (int)strcspn(p, "|"), p);
}

static void append_options(unsigned mask, struct buf *out)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!(mask & BIT(i)))
            continue;
        char left[40];
        char letter[8] = "    ";
        if (options[i].letter)
            snprintf(letter, sizeof letter, "-%c, ", options[i].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, options[i].name,
                 options[i].value ? " " : "", options[i].value ? options[i].value : "");
        buf_printf(out, "  %-24s  %s", left, options[i].help);
        command_append_choices(&options[i], out);
        buf_append_char(out, '\n');
    }
}

void command_help(const struct command *command, struct buf *out)
{
    if (command) {
        buf_printf(out, "caes-sync %s%s%s: %s\n\n", command->name, command->argument ? " " : "",
                   command->argument ? command->argument : "", command->summary);
        if (command->help)
            buf_printf(out, "%s\n", command->help);
        buf_append_str(out, "Options:\n");
        append_options(command_options(command), out);
        return;
    }
    buf_append_str(out, "caes-sync " COMMAND_SUMMARY ".\n\n"
                        "Usage: caes-sync [OPTIONS] COMMAND\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        buf_printf(out, "  %-12s  %s\n", commands[i].name, commands[i].summary);
    buf_append_str(out, "\nOptions:\n");
    append_options(command_options(NULL), out);
    buf_append_str(out, "\nExit codes:\n");
    for (enum exit_code code = EXIT_DONE; code <= EXIT_STATE; code++)
        buf_printf(out, "  %d  %s\n", (int)code, exit_code_meaning(code));
}

void command_print(struct buf *out)
{
    if (out->len)
        (void)!fwrite(out->ptr, 1, out->len, stdout);
    buf_free(out);
}

enum exit_code command_fail(const struct err *err)
{
    /* A complaint about the configuration begins with its file, as compilers' do. */
    bool located = err->code == ERR_CONFIG && err->text[0] == '/';
    const bool colour = colour_wanted(STDERR_FILENO);
    fprintf(stderr, "%s%s%s%s%s\n", journal_is(STDERR_FILENO) ? "<3>" : "",
            colour ? COLOUR_RED : "", located ? "" : "caes-sync: ", err->text,
            colour ? COLOUR_END : "");
    return exit_code_of(err->code);
}

/* A file or socket that gets the number of a closed standard stream would be written to as one. */
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR); /* gets the lowest number that is free */
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static enum exit_code run_command(const struct command_line *line)
{
    if (line->values[OPT_VERSION])
        return cmd_version(line);
    if (!line->values[OPT_HELP] && line->command)
        return line->command->run(line);
    struct buf out = {0};
    command_help(line->command, &out);
    colour_lines(STDOUT_FILENO, &out);
    command_print(&out);
    return EXIT_DONE;
}

int command_main(int argc, char **argv)
{
    struct command_line line;
    struct err err = {0};
    open_standard_streams();
    signal(SIGPIPE, SIG_IGN); // NOLINT(bugprone-signal-handler,cert-sig30-c): nothing runs
    if (argc < 1 || !command_parse(argc, argv, &line, &err))
        return (int)command_fail(&err);
    enum exit_code code = run_command(&line);
    if ((ferror(stdout) || fflush(stdout) != 0) && code == EXIT_DONE) {
        err_set(&err, ERR_STATE, "can't write to stdout");
        return (int)command_fail(&err);
    }
    return (int)code;
}
