#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_OFF };

/* Where lines go. Whoever owns the process fills it (app/); modules are handed a pointer and
 * borrow it for their life. write gets one complete line without its newline. */
struct log {
    enum log_level level; /* lines below it are not even formatted */
    const char *name;     /* logger, for example "caes.pipeline"; borrowed */
    void (*write)(void *ctx, enum log_level level, const char *name, const char *text);
    void *ctx;
};

static inline bool log_enabled(const struct log *log, enum log_level level)
{
    return log && level >= log->level;
}

/* One line; a NULL log swallows it. Never give it a secret. */
void log_line(const struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_debug(log, ...)                          \
    do {                                             \
        if (log_enabled((log), LOG_DEBUG))           \
            log_line((log), LOG_DEBUG, __VA_ARGS__); \
    } while (0)
#define log_info(log, ...)    log_line((log), LOG_INFO, __VA_ARGS__)
#define log_warning(log, ...) log_line((log), LOG_WARNING, __VA_ARGS__)
#define log_error(log, ...)   log_line((log), LOG_ERROR, __VA_ARGS__)

#endif
