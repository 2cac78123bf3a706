#include "app/helper.h"

#include "app/config_render.h"
#include "app/duration.h"
#include "app/option.h"
#include "app/status_report.h"
#include "base/mem.h"
#include "map/codec.h"
#include "map/reference.h"
#include "status/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts a value behind each of the keys that must be filled in, and (all) takes the # away from
 * every key that is commented out. */
static char *fill(const char *example, bool all)
{
    struct buf out = {0};
    for (const char *line = example; *line && strncmp(line, "#logging:", 9) != 0;) {
        size_t len = strcspn(line, "\n");
        size_t blanks = strspn(line, " ");
        const char *rest = line + blanks;
        int rest_len = (int)(len - blanks);
        bool commented = *rest == '#';
        bool prose = commented && rest[1] == ' ' && rest[2] != ' ';
        if (all && commented && !prose)
            buf_printf(&out, "%*s%.*s\n", (int)blanks, "", rest_len - 1, rest + 1);
        else if (!commented && blanks && line[len - 1] == ':')
            buf_printf(&out, "%.*s name%zu\n", (int)len, line, out.len);
        else
            buf_printf(&out, "%.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    char *text = mem_strdup(buf_cstr(&out));
    buf_free(&out);
    return text;
}

static void test_example(void **state)
{
    (void)state;
    struct buf example = {0};
    struct err err = {0};
    config_render_example(&example);
    assert_null(helper_parse(buf_cstr(&example), &err));
    assert_non_null(strstr(err.text, "ElasticSearchConfig.index: is missing"));

    char *text = fill(buf_cstr(&example), false);
    struct app_config *plain = helper_config(text);
    assert_int_equal(plain->warnings.count, 0);
    free(text);

    /* All that it shows as defaults can be switched on, and changes nothing. */
    text = fill(buf_cstr(&example), true);
    assert_non_null(strstr(text, "\n  overlap: 60\n"));
    struct app_config *full = helper_config(text);
    assert_int_equal(full->warnings.count, 0);
    assert_int_equal(full->pipelines->interval, plain->pipelines->interval);
    assert_int_equal(full->pipelines->cassandra.ttl, plain->pipelines->cassandra.ttl);
    assert_string_equal(full->state, plain->state);
    free(text);
    app_config_free(full);
    app_config_free(plain);
    buf_free(&example);
}

static void test_all_listed(void **state)
{
    (void)state;
    struct buf help = {0};
    struct buf page = {0};
    size_t count;
    const struct config_option *options = option_table(&count);
    config_render_help(&help);
    config_render_markdown(&page);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(strstr(buf_cstr(&help), options[i].path));
        assert_non_null(strstr(buf_cstr(&page), options[i].path));
    }
    buf_free(&help);
    buf_free(&page);
}

static void check_page(const char *path, void (*render)(struct buf *out))
{
    struct buf want = {0};
    struct buf page = {0};
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (size_t got = 1; got > 0; page.len += got)
        got = fread(buf_reserve(&page, 4096), 1, 4096, f);
    fclose(f);
    render(&want);
    assert_string_equal(buf_cstr(&page), buf_cstr(&want));
    buf_free(&want);
    buf_free(&page);
}

/* `caes-sync help configuration --markdown >docs/configuration.md` makes it anew, and likewise
 * types and metrics. */
static void test_pages_are_fresh(void **state)
{
    (void)state;
    check_page("docs/configuration.md", config_render_markdown);
    check_page("docs/types.md", map_reference_markdown);
    check_page("docs/METRICS.md", status_metrics_markdown);
}

static void test_all_types_listed(void **state)
{
    (void)state;
    struct buf help = {0};
    size_t count;
    const struct map_codec *codecs = map_codec_list(&count);
    map_reference_help(&help);
    for (size_t i = 0; i < count; i++)
        assert_true(!codecs[i].name || strstr(buf_cstr(&help), codecs[i].name));
    buf_free(&help);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: wrong */
        const char *shown;
    } cases[] = {
        {"60", 60000, "1m"},   {"0.05", 50, "50ms"},     {"250ms", 250, "250ms"},
        {"30s", 30000, "30s"}, {"1.5h", 5400000, "90m"}, {"7d", 604800000, "7d"},
        {"0", 0, "0"},         {"", -1, NULL},           {"s", -1, NULL},
        {"-1", -1, NULL},      {"1 s", -1, NULL},        {"1.2.3", -1, NULL},
        {".", -1, NULL},       {"1e3", -1, NULL},        {"99999999d", -1, NULL},
        {"inf", -1, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        struct buf out = {0};
        if (duration_parse(cases[i].text, &ms, NULL) != (cases[i].ms >= 0))
            fail_msg("%s", cases[i].text);
        if (cases[i].ms < 0)
            continue;
        assert_int_equal(ms, cases[i].ms);
        duration_render(ms, &out);
        assert_string_equal(buf_cstr(&out), cases[i].shown);
        buf_free(&out);
    }
}

static void test_status(void **state)
{
    (void)state;
    struct buf text = {0};
    const struct slice json =
        SLICE_LIT("{\"running\":true,\"healthy\":true,\"pipelines\":[{\"name\":\"a\\nb\","
                  "\"history\":{\"x\":[1,2]},\"failure\":null,\"to_cassandra\":{\"copied\":7}}]}");
    assert_true(status_report_healthy(json));
    assert_true(status_report_text(json, &text));
    assert_string_equal(buf_cstr(&text), "running: true\nhealthy: true\npipelines[1].name: a b\n"
                                         "pipelines[1].failure: null\n"
                                         "pipelines[1].to_cassandra.copied: 7\n");
    assert_false(status_report_healthy(SLICE_LIT("{\"healthy\":false}")));
    assert_false(status_report_healthy(SLICE_LIT("rubbish")));
    assert_false(status_report_text(SLICE_LIT("[1]"), &text));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),         cmocka_unit_test(test_all_listed),
        cmocka_unit_test(test_pages_are_fresh), cmocka_unit_test(test_all_types_listed),
        cmocka_unit_test(test_durations),       cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
