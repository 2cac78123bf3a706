#include "base/json.h"
#include "status/fixture.h"
#include "status/json.h"
#include "status/metrics.h"
#include "status/page.h"
#include "status/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct status_snapshot *s;
static struct status_pipeline *p;
static struct buf out;
static struct json_doc *doc;

static int setup(void **state)
{
    (void)state;
    s = fixture_snapshot();
    p = fixture_pipeline(s);
    out = (struct buf){0};
    doc = json_doc_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    status_snapshot_unref(s);
    buf_free(&out);
    json_doc_free(doc);
    return 0;
}

static void has(const char *text)
{
    if (!strstr(buf_cstr(&out), text))
        fail_msg("no \"%s\" in: %s", text, buf_cstr(&out));
}

static void has_not(const char *text)
{
    if (strstr(buf_cstr(&out), text))
        fail_msg("\"%s\" in: %s", text, buf_cstr(&out));
}

static void add_letter(const char *key, const char *reason)
{
    p->letters[p->letter_count++] = (struct status_letter){
        .key = status_snapshot_text(s, key),
        .rule = "entry",
        .reason = status_snapshot_text(s, reason),
        .direction = METRIC_TO_CASSANDRA,
        .version = 7,
        .at_us = FIXTURE_NOW - 3600 * SECOND,
    };
    p->dead_letters++;
}

static const struct json_node *at(const char *path)
{
    const struct json_node *pipelines = json_member(json_root(doc), "pipelines");
    const struct json_node *found = json_path(json_first(pipelines), path);
    if (!found)
        fail_msg("no %s in %s", path, buf_cstr(&out));
    return found;
}

static void render_json(int64_t age_us)
{
    buf_clear(&out);
    status_json(s, age_us, &out);
    assert_true(json_parse(doc, buf_slice(&out), false, NULL));
}

static void test_json(void **state)
{
    (void)state;
    add_letter("<b>\"k\\", "no \x01 key \xff");
    p->history.count = 2;
    p->history.points[1][METRIC_TO_CASSANDRA].lag_s = 12.5f;
    render_json(SECOND);
    assert_int_equal(json_member(json_root(doc), "healthy")->type, JSON_TRUE);
    assert_true(slice_is(json_member(json_root(doc), "uptime_seconds")->text, "7301"));
    assert_true(slice_is(at("state.name")->text, "in_sync"));
    assert_true(slice_is(at("lag_seconds.to_cassandra")->text, "5.000")); /* it has aged */
    assert_true(slice_is(at("last_cycle_seconds_ago")->text, "5.0"));
    assert_true(slice_is(at("to_cassandra.copied")->text, "1234567"));
    assert_true(slice_is(at("servers.cassandra.holds")->text, "logs.data"));
    assert_true(slice_is(json_first(at("letters"))[1].text, "<b>\"k\\"));
    assert_int_equal(at("last_verify")->type, JSON_NULL);
    assert_int_equal(at("failure")->type, JSON_NULL);
    assert_int_equal(at("paused")->type, JSON_FALSE);
    assert_int_equal(at("paused_by")->type, JSON_NULL);
    assert_int_equal(at("history.to_cassandra.lag_seconds")->children, 2);
    p->failing_since_us = FIXTURE_NOW + 5 * SECOND; /* the clock was set back */
    p->failure = "x \"y\"";
    p->verify = (struct status_verify){.at_us = FIXTURE_NOW, .compared = 5, .differences = 1};
    p->full = true;
    render_json(0);
    assert_int_equal(at("paused")->type, JSON_TRUE);
    assert_true(slice_is(at("paused_by")->text, "dead_letters"));
    p->paused_us = FIXTURE_NOW;
    render_json(0);
    assert_true(slice_is(at("paused_by")->text, "operator"));
    assert_true(slice_is(at("failure.for_seconds")->text, "0.0"));
    assert_true(slice_is(at("failure.message")->text, "x \"y\""));
    assert_true(slice_is(at("last_verify.differences")->text, "1"));
}

static void test_metrics(void **state)
{
    (void)state;
    p->name = "a\"b\\c\nd";
    metric_observe(&p->metrics, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ, 0.003);
    metric_observe(&p->metrics, METRIC_REQUEST, METRIC_CASSANDRA, METRIC_READ, 100);
    metric_put(&s->process, METRIC_CPU, 0, 0, 1.25);
    metric_put(&s->process, METRIC_BUILD_INFO, 0, 0, 1);
    p->full = true;
    status_metrics(s, SECOND / 2, &out);
#define NAME "pipeline=\"a\\\"b\\\\c\\nd\""
    has("\ncaes_records_total{" NAME ",direction=\"to_cassandra\",result=\"copied\"} 1234567\n");
    has("\n# TYPE caes_lag_seconds gauge\ncaes_lag_seconds{" NAME
        ",direction=\"to_elasticsearch\"} 4.5\n");
    has("\ncaes_request_seconds_bucket{" NAME
        ",server=\"cassandra\",operation=\"read\",le=\"0.0025\"} 0\n");
    has("operation=\"read\",le=\"0.005\"} 1\n");
    has("operation=\"read\",le=\"30\"} 1\n");
    has("operation=\"read\",le=\"+Inf\"} 2\n");
    has("\ncaes_request_seconds_sum{" NAME ",server=\"cassandra\",operation=\"read\"} 100.003\n");
    has("\ncaes_request_seconds_count{" NAME ",server=\"cassandra\",operation=\"read\"} 2\n");
    has_not("server=\"cassandra\",operation=\"bulk\"");
    has("\ncaes_paused{" NAME "} 1\n");
    has("\ncaes_ready{" NAME "} 0\n");
    has("\ncaes_up{" NAME ",server=\"elasticsearch\"} 1\n");
    has("\nprocess_cpu_seconds_total 1.25\n");
    has("\ncaes_build_info{version=\"" CAES_VERSION "\"} 1\n");
}

static void test_page(void **state)
{
    (void)state;
    add_letter("<script>alert(1)</script>", "\"quoted\" & 'so'");
    p->dead_letters = 21;
    p->directions[METRIC_TO_CASSANDRA].rate = 3.14;
    p->history.count = 3;
    p->history.points[1][METRIC_TO_ELASTICSEARCH].lag_s = 120;
    status_page(s, 0, &out);
    has("<h1>Needs a look</h1>");
    has("<p id=\"verdict\">In sync, but for 21 changes in the dead letters</p>");
    has("<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>");
    has("&quot;quoted&quot; &amp; &#39;so&#39;");
    has("20 more: <code>caes-sync dlq list</code>");
    has("1,234,567");
    has("<span>3.1/s</span>");
    has("Lag, last hour: at most 2 min");
    has("<path class=\"limit\""); /* it went beyond readyLag */
    has("<dt>Last verify</dt><dd>never</dd>");
    has("1772366396 (11:59:56)");
    has_not("{{");
    has_not("alert(1)</script>");

    buf_clear(&out);
    p->dead_letters = 0;
    p->letter_count = 0;
    p->servers[METRIC_ELASTICSEARCH].up = false;
    p->servers[METRIC_ELASTICSEARCH].failing_since_us = FIXTURE_NOW - 120 * SECOND;
    p->servers[METRIC_ELASTICSEARCH].failure = "elasticsearch http://e:9200: connection refused";
    p->verify = (struct status_verify){.at_us = FIXTURE_NOW, .compared = 5000, .differences = 2};
    status_page(s, 0, &out);
    has("<h1>Trouble</h1>");
    has("Waiting for Elasticsearch since 11:58:00: http://e:9200: connection refused");
    has("None: every change could be copied.");
    has("12:00:00: 2 of 5,000 records differ");
    has("no: Elasticsearch is down");

    buf_clear(&out);
    status_page_policy(&out);
    has("script-src 'sha256-");
    has_not("unsafe");
}

static void check_template(const char *text, const char *want)
{
    static const char model[] =
        "{\"a\":\"<&\\\"'\",\"n\":12,\"yes\":true,\"no\":false,\"empty\":\"\",\"none\":[],"
        "\"list\":[{\"x\":1},{\"x\":2,\"a\":\"in\"}],\"o\":{\"x\":3,\"o\":{\"x\":4}}}";
    const struct template_part parts[] = {{"part", SLICE_LIT("{{a}}<>")}};
    buf_clear(&out);
    assert_true(json_parse(doc, slice_str(model), false, NULL));
    template_render(slice_str(text), json_root(doc), parts, 1, &out);
    assert_string_equal(buf_cstr(&out), want);
}

static void test_template(void **state)
{
    (void)state;
    check_template("", "");
    check_template("{{a}} {{n}} {{missing}}.", "&lt;&amp;&quot;&#39; 12 .");
    check_template("{{#yes}}y{{/yes}}{{#no}}n{{/no}}{{#empty}}e{{/empty}}{{#none}}x{{/none}}", "y");
    check_template("{{^yes}}y{{/yes}}{{^no}}n{{/no}}{{^none}}x{{/none}}{{^gone}}g{{/gone}}", "nxg");
    check_template("{{#list}}{{x}}{{a}};{{/list}}", "1&lt;&amp;&quot;&#39;;2in;");
    check_template("{{#o}}{{x}}{{#o}}{{x}}{{n}}{{/o}}{{x}}{{/o}}", "34123");
    check_template("{{#a}}[{{a}}]{{/a}}", "[&lt;&amp;&quot;&#39;]");
    check_template("{{>part}}{{>gone}}", "{{a}}<>");
    check_template("{{#yes}}never ends", "never ends");
    check_template("{{/yes}}{{a", "{{a");
    check_template("{{}}{{#}}{{/}}", "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_json),
        TEST(test_metrics),
        TEST(test_page),
        TEST(test_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
