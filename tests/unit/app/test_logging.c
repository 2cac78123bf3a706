#include "app/helper.h"

#include "app/logging.h"
#include "app/logging_file.h"
#include "app/logging_format.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/caes-logging-XXXXXX");
    setenv("TZ", "UTC", 1);
    tzset();
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); // NOLINT: a path of our own making
}

static const char *in_folder(const char *name)
{
    static char path[2][128];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void assert_content(const char *name, const char *want)
{
    char text[4096] = {0};
    FILE *f = fopen(in_folder(name), "r");
    if (!f)
        fail_msg("no %s", name);
    size_t len = fread(text, 1, sizeof text - 1, f);
    text[len] = '\0';
    fclose(f);
    assert_string_equal(text, want);
}

static void assert_absent(const char *name)
{
    assert_int_equal(access(in_folder(name), F_OK), -1);
}

static void test_format(void **state)
{
    (void)state;
    const struct logging_record record = {1795425926123456, LOG_INFO, "caes.pipeline", "on\nit"};
    static const struct {
        const char *format, *datefmt, *line;
    } cases[] = {
        {"%(asctime)s %(levelname)s %(name)s %(message)s", NULL,
         "2026-11-23 09:25:26,123 INFO caes.pipeline on it"},
        {"%(asctime)s|%(message)s", "%Y/%m/%d %H:%M:%S", "2026/11/23 09:25:26|on it"},
        {"%(levelname)-8s|%(levelname)6s|%(levelname).2s", NULL, "INFO    |  INFO|IN"},
        {"%(levelno)d %(levelno)04d %(levelno)s 100%%", NULL, "20 0020 20 100%"},
        {"%(module)s %(filename)s:%(lineno)d %(funcName)s", NULL, "pipeline pipeline.c:0 -"},
        {"%(msecs)03d %(created).3f", NULL, "123 1795425926.123"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena = {0};
        struct logging_format format;
        const char *why;
        struct buf out = {0};
        assert_true(
            logging_format_compile(cases[i].format, cases[i].datefmt, &arena, &format, &why));
        logging_format_render(&format, &record, &out);
        assert_string_equal(buf_cstr(&out), cases[i].line);
        buf_free(&out);
        arena_free(&arena);
    }
}

static void test_json(void **state)
{
    (void)state;
    struct buf out = {0};
    struct logging_record record = {1795425926123456, LOG_WARNING, "caes", "a \"b\"\n\x01"};
    logging_format_json(&record, &out);
    assert_string_equal(buf_cstr(&out), "{\"time\":\"2026-11-23T09:25:26.123Z\",\"level\":"
                                        "\"WARNING\",\"logger\":\"caes\",\"message\":\"a "
                                        "\\\"b\\\"\\n\\u0001\"}");
    buf_clear(&out);
    record.text = "not \xff utf-8";
    logging_format_json(&record, &out);
    assert_non_null(strstr(buf_cstr(&out), "\"not ? utf-8\""));
    buf_free(&out);
}

static struct logging *open_text(struct app_config **config, const char *logging, int level)
{
    struct err err = {0};
    char text[2000];
    snprintf(text, sizeof text, HELPER_ES HELPER_CASS "%s", logging);
    *config = helper_config(text);
    struct logging_options options = {.level = level};
    struct logging *l = logging_open((*config)->logging, &options, &err);
    if (!l)
        fail_msg("%s", err.text);
    return l;
}

/* Levels are inherited, handlers add up, a logger may cut off those above. */
static void test_tree(void **state)
{
    (void)state;
    char text[1500];
    snprintf(text, sizeof text,
             "logging:\n  formatters: {f: {format: '%%(name)s %%(levelname)s %%(message)s'}}\n"
             "  handlers:\n"
             "    all: {class: logging.FileHandler, filename: %s/all, formatter: f}\n"
             "    bad: {class: logging.FileHandler, filename: %s/bad, formatter: f, level: ERROR}\n"
             "    own: {class: logging.FileHandler, filename: %s/own}\n"
             "  loggers:\n    caes: {level: DEBUG, handlers: [bad]}\n"
             "    caes.quiet: {level: ERROR}\n"
             "    caes.own: {handlers: [own], propagate: false}\n"
             "  root: {level: WARNING, handlers: [all]}\n",
             folder, folder, folder);
    struct app_config *config;
    struct logging *l = open_text(&config, text, LOGGING_UNSET);
    log_info(logging_get(l, "other"), "dropped");
    log_warning(logging_get(l, "other"), "one");
    log_debug(logging_get(l, "caes.a.b"), "two");
    log_error(logging_get(l, "caes.a.b"), "three");
    log_warning(logging_get(l, "caes.quiet"), "dropped");
    log_info(logging_get(l, "caes.own"), "four");
    logging_close(l);
    app_config_free(config);
    assert_content("all", "other WARNING one\ncaes.a.b DEBUG two\ncaes.a.b ERROR three\n");
    assert_content("bad", "caes.a.b ERROR three\n");
    assert_content("own", "four\n");
    struct stat info;
    assert_int_equal(stat(in_folder("all"), &info), 0);
    assert_int_equal(info.st_mode & 0137, 0);
}

/* Python's other name of the root, often used in a dictConfig; `root` beats it. */
static void test_root_without_name(void **state)
{
    (void)state;
    char text[500];
    struct app_config *config;
    snprintf(text, sizeof text,
             "logging:\n  handlers:\n    h: {class: logging.FileHandler, filename: %s/nameless}\n"
             "  loggers:\n    '': {level: ERROR, handlers: [h]}\n    caes.loud: {level: INFO}\n"
             "  root: {level: WARNING}\n",
             folder);
    struct logging *l = open_text(&config, text, LOGGING_UNSET);
    log_info(logging_get(l, "caes"), "dropped");
    log_warning(logging_get(l, "caes"), "one");
    log_info(logging_get(l, "caes.loud"), "two");
    logging_close(l);
    app_config_free(config);
    assert_content("nameless", "one\ntwo\n");
}

static void test_override(void **state)
{
    (void)state;
    char text[500];
    struct app_config *config;
    snprintf(text, sizeof text,
             "logging:\n  handlers:\n    h: {class: logging.FileHandler, filename: %s/over, "
             "level: ERROR}\n  root: {level: ERROR, handlers: [h]}\n",
             folder);
    struct logging *l = open_text(&config, text, LOG_DEBUG);
    log_debug(logging_get(l, "caes.x"), "seen");
    logging_close(l);
    app_config_free(config);
    assert_content("over", "seen\n");
}

/* A pointer that was handed out stays right when another configuration is applied. */
static void test_apply(void **state)
{
    (void)state;
    struct app_config *before;
    struct err err = {0};
    char text[500];
    struct logging *l = open_text(&before, "log: {level: error}\n", LOGGING_UNSET);
    const struct log *log = logging_get(l, "caes.x");
    assert_int_equal(log->level, LOG_ERROR);
    snprintf(text, sizeof text, HELPER_ES HELPER_CASS "log: {level: debug, file: %s/applied}\n",
             folder);
    struct app_config *after = helper_config(text);
    assert_true(logging_apply(l, after->logging, &err));
    app_config_free(before);
    assert_int_equal(log->level, LOG_DEBUG);
    log_debug(log, "here");
    logging_close(l);
    app_config_free(after);
    struct stat info;
    assert_int_equal(stat(in_folder("applied"), &info), 0);
    assert_true(info.st_size > 30);
}

static void test_unwritable(void **state)
{
    (void)state;
    struct err err = {0};
    struct logging_options options = {.level = LOGGING_UNSET};
    struct app_config *c = helper_config(HELPER_ES HELPER_CASS "log: {file: /no/such/folder/x}\n");
    assert_null(logging_open(c->logging, &options, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, "c.yaml:6: log.file: can't write /no/such/folder/x (No such file "
                                  "or directory); name a file that can be written");
    app_config_free(c);
}

static struct logging_file *open_handler(const struct logging_handler *h)
{
    struct err err = {0};
    struct logging_file *f = logging_file_open(h, &err);
    if (!f)
        fail_msg("%s", err.text);
    return f;
}

static void test_rotate_size(void **state)
{
    (void)state;
    const struct logging_handler h = {
        .kind = LOGGING_ROTATING, .file = in_folder("size"), .max_bytes = 10, .backup_count = 2};
    struct logging_file *f = open_handler(&h);
    static const char *const lines[] = {
        "aaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n", "ffff\n", "a line beyond the limit\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        logging_file_write(f, slice_str(lines[i]), 0);
    logging_file_close(f);
    assert_content("size", "a line beyond the limit\n");
    assert_content("size.1", "eeee\nffff\n");
    assert_content("size.2", "cccc\ndddd\n");
    assert_absent("size.3");
}

static void test_rotate_time(void **state)
{
    (void)state;
    const struct logging_handler h = {.kind = LOGGING_TIMED,
                                      .file = in_folder("time"),
                                      .period = 86400,
                                      .weekday = -1,
                                      .at_midnight = true,
                                      .utc = true,
                                      .backup_count = 2,
                                      .suffix = "%Y-%m-%d"};
    struct logging_file *f = open_handler(&h);
    int64_t day = 86400LL * 1000000;
    int64_t today = clock_wall_us() / day * day;
    char names[4][64];
    for (int i = 0; i < 4; i++) {
        time_t at = (time_t)((today + i * day) / 1000000);
        struct tm parts;
        gmtime_r(&at, &parts);
        strftime(names[i], sizeof names[i], "time.%Y-%m-%d", &parts);
        char line[8];
        snprintf(line, sizeof line, "%d\n", i);
        /* Both ends of each day. */
        logging_file_write(f, slice_str(line), today + i * day + (i ? 0 : day - 1));
        logging_file_write(f, slice_str(line), today + (i + 1) * day - 1);
    }
    logging_file_close(f);
    assert_content("time", "3\n3\n");
    assert_content(names[2], "2\n2\n");
    assert_content(names[1], "1\n1\n");
    assert_absent(names[0]);
}

/* Moved away by logrotate, or its disk gone for a while: the next lines go to a new file. */
static void test_reopen(void **state)
{
    (void)state;
    const struct logging_handler h = {.kind = LOGGING_FILE, .file = in_folder("moved")};
    struct logging_file *f = open_handler(&h);
    logging_file_write(f, SLICE_LIT("1\n"), 0);
    assert_int_equal(rename(in_folder("moved"), in_folder("moved.old")), 0);
    logging_file_reopen(f);
    logging_file_write(f, SLICE_LIT("2\n"), 0);
    logging_file_close(f);
    assert_content("moved.old", "1\n");
    assert_content("moved", "2\n");
    struct stat info;
    assert_int_equal(stat(in_folder("moved"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),      cmocka_unit_test(test_json),
        cmocka_unit_test(test_tree),        cmocka_unit_test(test_override),
        cmocka_unit_test(test_apply),       cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_rotate_size), cmocka_unit_test(test_rotate_time),
        cmocka_unit_test(test_reopen),      cmocka_unit_test(test_root_without_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
