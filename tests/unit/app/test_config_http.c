#include "app/helper.h"

#include <string.h>

/* Who may read what the daemon does. */

static void test_defaults(void **state)
{
    (void)state;
    struct app_config *c = helper_config(HELPER_ES HELPER_CASS);
    assert_string_equal(c->http.listen, "127.0.0.1:8686");
    assert_null(c->http.token);
    assert_false(c->http.insecure);
    assert_int_equal(c->http.ready_lag, 60000);
    assert_int_equal(c->warnings.count, 0);
    app_config_free(c);
}

static const char *const good[] = {
    "  listen: off\n",
    "  listen: '[::1]:80'\n",
    "  listen: 127.0.0.1:80\n  token: sesame\n",
    "  listen: 0.0.0.0:80\n  token: sesame\n",
    "  listen: 0.0.0.0:80\n  tokenFile: /secret\n",
    "  listen: ':80'\n  insecure: true\n",
};

static const struct {
    const char *text, *error;
} bad[] = {
    {"  listen: example.org:80\n",
     "c.yaml:7: http.listen: \"example.org:80\" is no address to listen on; give 127.0.0.1:8686, "},
    {"  listen: '${PW}'\n", "c.yaml:7: http.listen: is no address; give 127.0.0.1:8686, or off"},
    {"  listen: 0.0.0.0:80\n",
     "c.yaml:7: http.listen: others than this machine could read it; set http.token (or, where "},
    {"  insecure: false\n  listen: '[::]:80'\n", "c.yaml:8: http.listen: others than this"},
    {"  token: two words\n", "c.yaml:7: http.token: can't be sent in a header; use letters"},
    {"  tokn: x\n", "did you mean \"token\"?"},
    {"  readyLag: 0\n", "c.yaml:7: http.readyLag: "},
};

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct buf text = {0};
        buf_printf(&text, "%shttp:\n%s", HELPER_ES HELPER_CASS, good[i]);
        struct app_config *c = helper_config(buf_cstr(&text));
        assert_int_equal(c->warnings.count, 0);
        app_config_free(c);
        buf_free(&text);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf text = {0};
        struct err err = {0};
        buf_printf(&text, "%shttp:\n%s", HELPER_ES HELPER_CASS, bad[i].text);
        assert_null(helper_parse(buf_cstr(&text), &err));
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, bad[i].error) || strstr(err.text, "hush"))
            fail_msg("%s", err.text);
        buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
