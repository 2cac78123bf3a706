#include "cql/pki.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *make(EVP_PKEY *key, const char *name, long serial, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
    if (issuer) {
        struct in_addr any;
        char alternative[128];
        snprintf(alternative, sizeof alternative, "%s:%s",
                 inet_pton(AF_INET, name, &any) == 1 ? "IP" : "DNS", name);
        add_extension(cert, issuer, NID_subject_alt_name, alternative);
    } else {
        add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    }
    X509_sign(cert, issuer_key, EVP_sha256());
    return cert;
}

static void write_cert(const char *path, X509 *cert)
{
    FILE *file = fopen(path, "w");
    PEM_write_X509(file, cert);
    fclose(file);
}

void pki_make(struct pki *pki, const char *host)
{
    snprintf(pki->directory, sizeof pki->directory, "/tmp/cql-pki-XXXXXX");
    if (!mkdtemp(pki->directory))
        abort();
    snprintf(pki->ca, sizeof pki->ca, "%s/ca.pem", pki->directory);
    snprintf(pki->cert, sizeof pki->cert, "%s/cert.pem", pki->directory);
    snprintf(pki->key, sizeof pki->key, "%s/key.pem", pki->directory);
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = make(ca_key, "authority of the tests", 1, NULL, ca_key);
    X509 *cert = make(key, host, 2, ca, ca_key);
    write_cert(pki->ca, ca);
    write_cert(pki->cert, cert);
    FILE *file = fopen(pki->key, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

void pki_free(struct pki *pki)
{
    unlink(pki->ca);
    unlink(pki->cert);
    unlink(pki->key);
    rmdir(pki->directory);
}
