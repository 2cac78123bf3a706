#ifndef UNIT_CQL_PKI_H
#define UNIT_CQL_PKI_H

/* An authority and a certificate for a host, made for one test run: PEM files in a directory of
 * their own, removed by pki_free. */
struct pki {
    char directory[64];
    char ca[128], cert[128], key[128];
};

/* host is a name or an IPv4 address. */
void pki_make(struct pki *pki, const char *host);
void pki_free(struct pki *pki);

#endif
