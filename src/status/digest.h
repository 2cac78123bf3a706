#ifndef STATUS_DIGEST_H
#define STATUS_DIGEST_H

#include "base/slice.h"

/* OpenSSL behind names that agree with base/err.h. */

enum { DIGEST_BASE64_MAX = 48 };

/* SHA-256 as base64, with a NUL. */
void digest_base64(struct slice text, char out[DIGEST_BASE64_MAX]);
/* Whether both texts are the same; the time it takes tells neither their length nor how far they
 * agree. */
bool digest_equal(struct slice a, struct slice b);
/* Decodes base64 into out, which has room for 3 bytes for each 4 of text; false: it is none. */
bool digest_decode(struct slice text, char *out, size_t *len);

#endif
