#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

#include <stdbool.h>

/* What a caller can do about an error. */
enum err_class {
    ERR_CLASS_NONE,
    ERR_CLASS_RETRY,  /* transient: the same thing may work later */
    ERR_CLASS_REJECT, /* this record or request can't work, others can */
    ERR_CLASS_FATAL,  /* nothing of the kind works until somebody mends the cause */
};

/* The one list of errors: code, class, words. */
#define ERR_LIST(X)                                         \
    X(NONE, NONE, "no error")                               \
    X(CONNECTION, RETRY, "connection failed")               \
    X(TIMEOUT, RETRY, "timed out")                          \
    X(OVERLOADED, RETRY, "server is overloaded")            \
    X(UNAVAILABLE, RETRY, "server is unavailable")          \
    X(CANCELLED, RETRY, "given up because of a shutdown")   \
    X(VALUE, REJECT, "value does not fit")                  \
    X(REQUEST, REJECT, "server refused the request")        \
    X(CONFLICT, REJECT, "a newer version is there already") \
    X(NOT_FOUND, REJECT, "not found")                       \
    X(TOO_LARGE, REJECT, "too large")                       \
    X(PROTOCOL, FATAL, "answer breaks the protocol")        \
    X(AUTH, FATAL, "login refused")                         \
    X(TRUST, FATAL, "server is not trusted")                \
    X(SCHEMA, FATAL, "schema does not fit")                 \
    X(CONFIG, FATAL, "configuration")                       \
    X(STATE, FATAL, "own state")                            \
    X(RUNNING, FATAL, "running already, or not running")    \
    X(INTERNAL, FATAL, "internal error")

enum err_code {
#define ERR_ENUM(name, class, text) ERR_##name,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
        ERR_CODE_COUNT
};

enum { ERR_TEXT_MAX = 512 };

/* Filled by the function that failed, given context on the way up, logged once where handled.
 * The text is one line of UTF-8 without secrets. */
struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX];
};

enum err_class err_class_of(enum err_code code);
const char *err_code_name(enum err_code code);

/* Both return false, so that a fallible function can `return err_set(…)`. A NULL err is allowed.
 * Control characters in the text become spaces, what is not UTF-8 question marks; text beyond
 * ERR_TEXT_MAX is cut behind a whole character. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "context: " before the text that is there. */
bool err_context(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
