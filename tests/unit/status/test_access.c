#include "status/listen.h"
#include "status/token.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Who can connect, and who may read. */

static const struct {
    const char *text;
    bool loopback;
    int family;
    unsigned port;
    const char *address;
} good[] = {
    {"127.0.0.1:8686", true, AF_INET, 8686, "127.0.0.1"},
    {"127.9.9.9:1", true, AF_INET, 1, "127.9.9.9"},
    {"localhost:65535", true, AF_INET, 65535, "127.0.0.1"},
    {"[::1]:80", true, AF_INET6, 80, "::1"},
    {"[::ffff:127.0.0.1]:80", true, AF_INET6, 80, "::ffff:127.0.0.1"},
    {"0.0.0.0:80", false, AF_INET, 80, "0.0.0.0"},
    {":80", false, AF_INET, 80, "0.0.0.0"},
    {"*:80", false, AF_INET, 80, "0.0.0.0"},
    {"10.1.2.3:80", false, AF_INET, 80, "10.1.2.3"},
    {"[::]:80", false, AF_INET6, 80, "::"},
    {"[fe80::1]:80", false, AF_INET6, 80, "fe80::1"},
    {"[::ffff:10.0.0.1]:80", false, AF_INET6, 80, "::ffff:10.0.0.1"},
};

static const char *const bad[] = {
    "",
    "8686",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:99999999999999999999",
    "127.0.0.1:-1",
    "127.0.0.1: 1",
    "127.0.0.1:80x",
    "127.1:80",
    "::1:80",
    "[::1]",
    "[::1:80",
    "[]:80",
    "[127.0.0.1]:80",
    "example.org:80",
    "http://127.0.0.1:80",
    "OFF",
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0:80",
};

static void test_listen(void **state)
{
    (void)state;
    struct status_listen l;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char text[INET6_ADDRSTRLEN];
        if (!status_listen_parse(good[i].text, &l, &err))
            fail_msg("%s", err.text);
        assert_false(l.off);
        assert_int_equal(l.loopback, good[i].loopback);
        assert_int_equal(l.address.any.sa_family, good[i].family);
        const bool v6 = good[i].family == AF_INET6;
        assert_int_equal(ntohs(v6 ? l.address.v6.sin6_port : l.address.v4.sin_port), good[i].port);
        inet_ntop(good[i].family,
                  v6 ? (void *)&l.address.v6.sin6_addr : (void *)&l.address.v4.sin_addr, text,
                  sizeof text);
        assert_string_equal(text, good[i].address);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (status_listen_parse(bad[i], &l, &err))
            fail_msg("%s was taken", bad[i]);
        assert_int_equal(err.code, ERR_CONFIG);
    }
    assert_true(status_listen_parse("off", &l, &err));
    assert_true(l.off);
}

static void test_token(void **state)
{
    (void)state;
    assert_true(status_token_fits("Bearer sesame", "sesame"));
    assert_true(status_token_fits("bearer   sesame", "sesame"));
    assert_false(status_token_fits(NULL, "sesame"));
    assert_false(status_token_fits("", "sesame"));
    assert_false(status_token_fits("Bearer", "sesame"));
    assert_false(status_token_fits("Bearer ", "sesame"));
    assert_false(status_token_fits("Bearer sesam", "sesame"));
    assert_false(status_token_fits("Bearer sesame ", "sesame"));
    assert_false(status_token_fits("Bearer sesame2", "sesame"));
    assert_false(status_token_fits("Bearersesame", "sesame"));
    assert_false(status_token_fits("sesame", "sesame"));
    /* as curl -u :sesame, -u me:sesame and -u me:a:b send it */
    assert_true(status_token_fits("Basic OnNlc2FtZQ==", "sesame"));
    assert_true(status_token_fits("Basic bWU6c2VzYW1l", "sesame"));
    assert_true(status_token_fits("basic bWU6YTpi", "a:b"));
    assert_false(status_token_fits("Basic c2VzYW1l", "sesame")); /* no colon */
    assert_false(status_token_fits("Basic OnNlc2FtZQ", "sesame"));
    assert_false(status_token_fits("Basic !!!!", "sesame"));
    assert_false(status_token_fits("Basic ====", "sesame"));
    assert_false(status_token_fits("Basic ", "sesame"));
    char *huge = calloc(1, 100000);
    memset(huge, 'A', 99996);
    memcpy(huge, "Basic ", 6);
    assert_false(status_token_fits(huge, "sesame"));
    free(huge);
    assert_true(status_token_usable("a-B_9.~!"));
    assert_false(status_token_usable(""));
    assert_false(status_token_usable("a b"));
    assert_false(status_token_usable("a\n"));
    assert_false(status_token_usable("\xc3\xa4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
