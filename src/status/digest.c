#include "status/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { SHA256_SIZE = 32 };

static bool sha256(struct slice text, unsigned char out[EVP_MAX_MD_SIZE])
{
    unsigned size = 0;
    return EVP_Digest(text.ptr, text.len, out, &size, EVP_sha256(), NULL) && size == SHA256_SIZE;
}

void digest_base64(struct slice text, char out[DIGEST_BASE64_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    out[0] = '\0';
    if (sha256(text, digest))
        EVP_EncodeBlock((unsigned char *)out, digest, SHA256_SIZE);
}

bool digest_equal(struct slice a, struct slice b)
{
    unsigned char first[EVP_MAX_MD_SIZE], second[EVP_MAX_MD_SIZE];
    return sha256(a, first) && sha256(b, second) && CRYPTO_memcmp(first, second, SHA256_SIZE) == 0;
}

bool digest_decode(struct slice text, char *out, size_t *len)
{
    if (text.len % 4 != 0)
        return false;
    const int got =
        EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text.ptr, (int)text.len);
    if (got < 0)
        return false;
    *len = (size_t)got; /* padding was decoded to zeros */
    for (size_t i = text.len; i > 0 && text.ptr[i - 1] == '=' && *len > 0; i--)
        --*len;
    return true;
}
