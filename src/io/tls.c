#include "io/tls.h"

#include <string.h>

/* OpenSSL has a type of this name. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

static const char *words_of(unsigned long reason)
{
    const char *words = reason ? ERR_reason_error_string(reason) : NULL;
    return words ? words : "no reason is known";
}

/* --- files --- */

static bool unusable(enum io_tls_file *which, enum io_tls_file file, const char *name,
                     const char *remedy, struct err *err)
{
    if (which)
        *which = file;
    err_set(err, ERR_CONFIG, "%s: %s; %s", name, words_of(ERR_peek_error()), remedy);
    ERR_clear_error();
    return false;
}

static bool load_authorities(SSL_CTX *ssl, const char *ca, enum io_tls_file *which, struct err *err)
{
    if (ca ? SSL_CTX_load_verify_file(ssl, ca) : SSL_CTX_set_default_verify_paths(ssl))
        return true;
    return unusable(which, IO_TLS_CA, ca ? ca : "the system's authorities",
                    "name a readable PEM file with the authorities' certificates", err);
}

/* Without an answer OpenSSL would ask on the terminal. */
static int no_passphrase(char *out UNUSED, int size UNUSED, int writing UNUSED, void *ctx UNUSED)
{
    return 0;
}

bool io_tls_files_load(SSL_CTX *ssl, const struct io_tls_files *files, bool verify,
                       enum io_tls_file *which, struct err *err)
{
    const char *key = files->key ? files->key : files->cert;
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
    if (verify && !load_authorities(ssl, files->ca, which, err))
        return false;
    if (files->cert && SSL_CTX_use_certificate_chain_file(ssl, files->cert) != 1)
        return unusable(which, IO_TLS_CERT, files->cert,
                        "name a readable PEM file with the certificate and its chain", err);
    if (key && SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
        return unusable(which, IO_TLS_KEY, key,
                        "name a readable PEM file with the certificate's private key, without a "
                        "passphrase",
                        err);
    return true;
}

bool io_tls_files_check(const struct io_tls_files *files, bool verify, enum io_tls_file *which,
                        struct err *err)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
    if (!ssl)
        return err_set(err, ERR_INTERNAL, "OpenSSL can't be set up");
    const bool fine = io_tls_files_load(ssl, files, verify, which, err);
    SSL_CTX_free(ssl);
    return fine;
}

/* --- verdicts --- */

static const char *trust_remedy(long verdict)
{
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "renew it on the server";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "set the clocks right";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "connect by a name that stands in it";
    case X509_V_ERR_CERT_REVOKED:
        return "give the server another one";
    default:
        return "name the authority that it comes from in tls.ca";
    }
}

bool io_tls_refuse(struct err *err, long verdict)
{
    if (verdict == X509_V_OK || verdict == X509_V_ERR_UNSPECIFIED)
        verdict = X509_V_ERR_HOSTNAME_MISMATCH;
    return err_set(err, ERR_TRUST, "the server's certificate is refused: %s; %s",
                   X509_verify_cert_error_string(verdict), trust_remedy(verdict));
}

/* OpenSSL's reasons from SSL_AD_REASON_OFFSET on are the peer's alerts (RFC 8446, 6). */
static bool is_about_certificate(int reason)
{
    switch (reason - SSL_AD_REASON_OFFSET) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

static const char *remedy(int reason)
{
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
        return "; this port speaks no TLS: connect without it, or take another port";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION:
        return "; let the server speak TLS 1.2 or 1.3";
    case SSL_AD_REASON_OFFSET + SSL_AD_INTERNAL_ERROR: /* Cassandra's word for a stranger */
        return "; it may not know the authority of the certificate in tls.cert";
    case SSL_AD_REASON_OFFSET + SSL_AD_HANDSHAKE_FAILURE:
        return "; it may want a certificate (tls.cert and tls.key), or other ciphers";
    default:
        return "";
    }
}

/* curl looks at the first of the errors: where a signature is no authority's, that is one of the
 * mathematics below. */
static bool is_about_signature(int library)
{
    return library == ERR_LIB_EVP || library == ERR_LIB_X509 || library == ERR_LIB_ASN1 ||
           library == ERR_LIB_RSA || library == ERR_LIB_EC || library == ERR_LIB_PROV;
}

bool io_tls_fail(struct err *err, unsigned long reason, const char *doing)
{
    const int number = reason ? ERR_GET_REASON(reason) : 0;
    if (reason && is_about_signature(ERR_GET_LIB(reason)))
        return io_tls_refuse(err, X509_V_ERR_CERT_SIGNATURE_FAILURE);
    if (is_about_certificate(number))
        return err_set(err, ERR_AUTH,
                       "TLS: the server refuses the client's certificate, or asks for one (%s); "
                       "look at tls.cert and tls.key",
                       words_of(reason));
    return err_set(err, ERR_CONNECTION, "TLS: %s: %s%s", doing, words_of(reason), remedy(number));
}
