#include "app/helper.h"

#include "app/command.h"
#include "app/logging_config.h"
#include "app/nearest.h"

#include <limits.h>
#include <string.h>

static bool parse(struct command_line *line, struct err *err, const char *words)
{
    static char copy[256];
    static char *argv[16];
    int argc = 0;
    strcpy(copy, words);
    for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
        argv[argc++] = p;
    argv[argc] = NULL;
    *err = (struct err){0};
    return command_parse(argc, argv, line, err);
}

static void test_good(void **state)
{
    (void)state;
    struct command_line line;
    struct err err;
    assert_true(parse(&line, &err, "caes-sync -c f.yaml run --since 12"));
    assert_string_equal(line.command->name, "run");
    assert_string_equal(line.values[OPT_CONFIG], "f.yaml");
    assert_int_equal(line.since, 12);
    assert_int_equal(line.log_level, LOGGING_UNSET);
    assert_true(parse(&line, &err, "caes-sync sync --json --log-level=debug --once --config x"));
    assert_non_null(line.values[OPT_JSON]);
    assert_int_equal(line.log_level, LOG_DEBUG);
    assert_string_equal(line.values[OPT_CONFIG], "x");
    assert_true(parse(&line, &err, "caes-sync help sync"));
    assert_string_equal(line.argument, "sync");
    assert_true(parse(&line, &err, "/usr/bin/caes-sync-daemon start"));
    assert_true(parse(&line, &err, "caes-sync --version"));
    assert_true(parse(&line, &err, "caes-sync init -h"));
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        const char *error;
    } cases[] = {
        {"caes-sync", "no command; caes-sync help lists them"},
        {"caes-sync sink", "unknown command \"sink\"; did you mean \"sync\"?"},
        {"caes-sync backup", "unknown command \"backup\"; caes-sync help lists all"},
        {"caes-sync run --sinse 5", "unknown option \"--sinse\"; did you mean \"--since\"?"},
        {"caes-sync run --colour", "unknown option \"--colour\"; caes-sync help lists all"},
        {"caes-sync run -x", "unknown option \"-x\"; caes-sync help lists all"},
        {"caes-sync --json -xh", "unknown option \"-x\"; caes-sync help lists all"},
        {"caes-sync run --config=", "--config is empty; name a file, or leave it out"},
        {"caes-sync run --once", "option --once does not belong to run; see caes-sync help run"},
        {"caes-sync sync --json=1", "option --json takes no value"},
        {"caes-sync run -c", "option -c needs a value; see caes-sync help"},
        {"caes-sync run now", "\"now\" is too much for run; see caes-sync help run"},
        {"caes-sync run --since 0", "--since \"0\" is no version; give a number above 0"},
        {"caes-sync run --since soon", "--since \"soon\" is no version; give a number above 0"},
        {"caes-sync run --log-level loud",
         "--log-level \"loud\" is no level; give debug, info, warning or error"},
        {"caes-sync-daemon sync",
         "caes-sync-daemon only knows start, stop and restart; use caes-sync sync"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command_line line;
        struct err err;
        assert_false(parse(&line, &err, cases[i].words));
        assert_string_equal(err.text, cases[i].error);
        assert_int_equal(exit_code_of(err.code), EXIT_USAGE);
    }
}

/* Every command explains itself. */
static void test_help(void **state)
{
    (void)state;
    size_t count;
    const struct command *commands = command_table(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf out = {0};
        command_help(&commands[i], &out);
        assert_non_null(strstr(buf_cstr(&out), commands[i].summary));
        assert_non_null(strstr(buf_cstr(&out), "--config FILE"));
        buf_free(&out);
        command_help(NULL, &out);
        assert_non_null(strstr(buf_cstr(&out), commands[i].name));
        buf_free(&out);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("interval", "interval"), 0);
    assert_int_equal(nearest_distance("interval", "INTERVAL"), 0);
    assert_int_equal(nearest_distance("intervall", "interval"), 1);
    assert_int_equal(nearest_distance("itnerval", "interval"), 1);
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    char longer[80];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_true(nearest_distance(longer, "x") == UINT_MAX);
    assert_true(nearest_plausible("ttk", 1));
    assert_false(nearest_plausible("ttk", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
