#include "io/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* OpenSSL has a type of this name. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#undef ERR_STATE

static void test_words(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(io_tls_refuse(&err, X509_V_ERR_CERT_HAS_EXPIRED));
    assert_int_equal(err.code, ERR_TRUST);
    assert_non_null(strstr(err.text, "has expired; renew it"));
    assert_false(io_tls_refuse(&err, X509_V_OK));
    assert_non_null(strstr(err.text, "mismatch"));
    assert_false(io_tls_fail(&err, ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER), "read"));
    assert_int_equal(err.code, ERR_CONNECTION);
    assert_non_null(strstr(err.text, "speaks no TLS"));
    assert_false(io_tls_fail(
        &err, ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED), "read"));
    assert_int_equal(err.code, ERR_AUTH);
    assert_false(io_tls_fail(&err, ERR_PACK(ERR_LIB_EVP, 0, 1), "read"));
    assert_int_equal(err.code, ERR_TRUST);
    assert_false(io_tls_fail(&err, 0, "read"));
    assert_int_equal(err.code, ERR_CONNECTION);
}

static void test_files(void **state)
{
    (void)state;
    struct err err = {0};
    enum io_tls_file which;
    assert_true(io_tls_files_check(&(struct io_tls_files){0}, true, &which, &err));
    const struct io_tls_files no_ca = {.ca = "/nowhere.pem"};
    assert_true(io_tls_files_check(&no_ca, false, &which, &err)); /* nobody asks for it */
    assert_false(io_tls_files_check(&no_ca, true, &which, &err));
    assert_int_equal(which, IO_TLS_CA);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_int_equal(strncmp(err.text, "/nowhere.pem: ", 14), 0);
    const struct io_tls_files no_cert = {.cert = "/dev/null", .key = "/dev/null"};
    assert_false(io_tls_files_check(&no_cert, true, &which, &err));
    assert_int_equal(which, IO_TLS_CERT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
