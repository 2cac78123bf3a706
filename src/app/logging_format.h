#ifndef APP_LOGGING_FORMAT_H
#define APP_LOGGING_FORMAT_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/log.h"

#include <stdint.h>

/* Lines in the form of Python's logging.Formatter: "%(asctime)s %(levelname)-8s %(message)s". */

struct logging_record {
    int64_t time_us; /* since 1970 */
    enum log_level level;
    const char *name; /* logger */
    const char *text;
};

struct logging_segment;
struct logging_format {
    const struct logging_segment *segments;
    size_t count;
    const char *datefmt; /* strftime, local time; NULL: 2026-11-23 09:25:46,123 */
};

/* In arena; datefmt is borrowed. False: why (borrowed for ever) says what is wrong with it. */
MUST_USE bool logging_format_compile(const char *format, const char *datefmt, struct arena *arena,
                                     struct logging_format *out, const char **why);
/* Appends one line without its newline; control characters become blanks. */
void logging_format_render(const struct logging_format *format, const struct logging_record *record,
                           struct buf *out);
/* Appends one JSON object: time (RFC 3339, UTC), level, logger, message. */
void logging_format_json(const struct logging_record *record, struct buf *out);

#endif
