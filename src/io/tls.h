#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/attr.h"
#include "base/err.h"

#include <stdbool.h>

/* What both clients share of TLS: the files that people give, and what OpenSSL's verdicts mean. */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* PEM files, or NULL. */
struct io_tls_files {
    const char *ca;   /* the authorities to trust; NULL: those of the system */
    const char *cert; /* one's own, with its chain, for servers that ask for it */
    const char *key;  /* NULL: it is in cert; without a passphrase */
};

enum io_tls_file { IO_TLS_CA, IO_TLS_CERT, IO_TLS_KEY };

/* Reads the files into ssl; the authorities only with verify. Errors: ERR_CONFIG "FILE: reason;
 * remedy", and which of them it is (may be NULL). */
MUST_USE bool io_tls_files_load(struct ssl_ctx_st *ssl, const struct io_tls_files *files,
                                bool verify, enum io_tls_file *which, struct err *err);
/* Only whether they can be used. */
MUST_USE bool io_tls_files_check(const struct io_tls_files *files, bool verify,
                                 enum io_tls_file *which, struct err *err);

/* verdict: an X509_V_ERR_…; those that tell nothing stand for a certificate that is fine, but for
 * another name. Sets ERR_TRUST; returns false. */
bool io_tls_refuse(struct err *err, long verdict);
/* reason: of OpenSSL's error queue, 0: none. Sets ERR_AUTH when the peer wants a (better)
 * certificate, ERR_TRUST when its own is signed by nobody known, else ERR_CONNECTION; doing says at
 * what it failed. Returns false. */
bool io_tls_fail(struct err *err, unsigned long reason, const char *doing);

#endif
