#ifndef STATUS_TOKEN_H
#define STATUS_TOKEN_H

#include <stdbool.h>

/* Whether the value of an Authorization header carries token: "Bearer TOKEN", or "Basic …" with
 * token as the password of any user, which is what a browser can ask a person for. Takes the same
 * time whatever is wrong with it. authorization may be NULL. */
bool status_token_fits(const char *authorization, const char *token);
/* Whether it can be sent in a header at all: visible ASCII, nothing else, at least one. */
bool status_token_usable(const char *token);

#endif
