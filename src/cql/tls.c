#include "cql/tls.h"

#include "base/mem.h"
#include "io/tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>

/* OpenSSL has a type of this name. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

struct cql_tls_context {
    SSL_CTX *ssl;
    bool verify;
    char *server_name; /* NULL: each host's own */
};

struct cql_tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
};

static bool fail(struct err *err, const char *doing)
{
    io_tls_fail(err, ERR_peek_last_error(), doing);
    ERR_clear_error();
    return false;
}

static bool load(struct cql_tls_context *c, const struct cql_tls_options *o, struct err *err)
{
    const struct io_tls_files files = {.ca = o->ca, .cert = o->cert, .key = o->key};
    if (!SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION))
        return err_set(err, ERR_INTERNAL, "TLS 1.2 is missing");
    if (c->verify)
        SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
    return io_tls_files_load(c->ssl, &files, c->verify, NULL, err);
}

struct cql_tls_context *cql_tls_context_new(const struct cql_tls_options *options, struct err *err)
{
    struct cql_tls_context *c = mem_zalloc(sizeof *c);
    c->verify = !options->no_verify;
    c->server_name = options->server_name ? mem_strdup(options->server_name) : NULL;
    c->ssl = SSL_CTX_new(TLS_client_method());
    if (!c->ssl)
        abort(); /* out of memory, as in mem_alloc */
    if (!load(c, options, err)) {
        cql_tls_context_free(c);
        return NULL;
    }
    return c;
}

void cql_tls_context_free(struct cql_tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    free(context->server_name);
    free(context);
}

static bool is_address(const char *host)
{
    struct in6_addr any;
    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

struct cql_tls *cql_tls_new(struct cql_tls_context *context, const char *host)
{
    if (context->server_name)
        host = context->server_name;
    struct cql_tls *t = mem_zalloc(sizeof *t);
    t->ssl = SSL_new(context->ssl);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out)
        abort(); /* out of memory, as in mem_alloc */
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_connect_state(t->ssl);
    const bool address = is_address(host);
    if (!address)
        SSL_set_tlsext_host_name(t->ssl, host);
    if (context->verify) {
        /* Should the name be refused, none that a certificate has will match. */
        const bool ok = address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), host)
                                : SSL_set1_host(t->ssl, host);
        if (!ok)
            SSL_set1_host(t->ssl, "invalid.invalid");
    }
    return t;
}

void cql_tls_free(struct cql_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

int cql_tls_handshake(struct cql_tls *t, struct err *err)
{
    ERR_clear_error();
    const int rc = SSL_do_handshake(t->ssl);
    if (rc == 1)
        return 1;
    if (SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ)
        return 0;
    const bool verifies = SSL_get_verify_mode(t->ssl) & SSL_VERIFY_PEER;
    const long verdict = SSL_get_verify_result(t->ssl);
    if (verifies && verdict != X509_V_OK) {
        ERR_clear_error();
        io_tls_refuse(err, verdict);
    } else {
        fail(err, "handshake");
    }
    return -1;
}

void cql_tls_received(struct cql_tls *t, const char *bytes, size_t len)
{
    if (BIO_write(t->in, bytes, (int)len) != (int)len)
        abort(); /* a memory BIO only fails without memory */
}

int cql_tls_read(struct cql_tls *t, char *out, size_t room, struct err *err)
{
    ERR_clear_error();
    const int rc = SSL_read(t->ssl, out, room > INT_MAX ? INT_MAX : (int)room);
    if (rc > 0)
        return rc;
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        err_set(err, ERR_CONNECTION, "TLS: closed by the peer");
        return -1;
    default:
        fail(err, "read");
        return -1;
    }
}

bool cql_tls_write(struct cql_tls *t, struct slice plain, struct err *err)
{
    ERR_clear_error();
    while (plain.len > 0) {
        const int part = plain.len > INT_MAX ? INT_MAX : (int)plain.len;
        const int rc = SSL_write(t->ssl, plain.ptr, part);
        if (rc <= 0)
            return fail(err, "write");
        plain = slice_of(plain.ptr + rc, plain.len - (size_t)rc);
    }
    return true;
}

void cql_tls_take(struct cql_tls *t, struct buf *out)
{
    const size_t len = BIO_ctrl_pending(t->out);
    if (len == 0)
        return;
    const int got = BIO_read(t->out, buf_reserve(out, len), (int)len);
    if (got > 0)
        out->len += (size_t)got;
}
