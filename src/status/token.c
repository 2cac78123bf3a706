#include "status/token.h"

#include "status/digest.h"

#include <strings.h>

enum { BASIC_MAX = 4096 };

static const char *behind_scheme(const char *authorization, const char *scheme)
{
    const size_t len = strlen(scheme);
    if (strncasecmp(authorization, scheme, len) != 0 || authorization[len] != ' ')
        return NULL;
    return authorization + len + strspn(authorization + len, " ");
}

static bool password_fits(struct slice credentials, const char *token)
{
    char text[BASIC_MAX];
    size_t len;
    if (credentials.len > BASIC_MAX || !digest_decode(credentials, text, &len))
        return false;
    const char *colon = memchr(text, ':', len);
    if (!colon)
        return false;
    return digest_equal(slice_of(colon + 1, len - (size_t)(colon + 1 - text)), slice_str(token));
}

bool status_token_fits(const char *authorization, const char *token)
{
    if (!authorization)
        return false;
    const char *given = behind_scheme(authorization, "Bearer");
    if (given)
        return digest_equal(slice_str(given), slice_str(token));
    given = behind_scheme(authorization, "Basic");
    return given && password_fits(slice_str(given), token);
}

bool status_token_usable(const char *token)
{
    if (token[0] == '\0')
        return false;
    for (; *token; token++) {
        if (*token <= ' ' || *token > '~')
            return false;
    }
    return true;
}
