#ifndef JOB_CHECK_FINDING_H
#define JOB_CHECK_FINDING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* What `check` has to say: a list of places with what is wrong there and what to do about it. */

enum check_severity {
    CHECK_ERROR,   /* records will not be synced, or writes may be lost */
    CHECK_WARNING, /* works, but not as somebody would expect */
    CHECK_INFO,    /* a fact that is good to know */
};

struct check_finding {
    enum check_severity severity;
    const char *where, *what, *remedy; /* remedy may be empty */
};

/* Zero-initialised is empty and valid; owns all texts. Free with check_findings_free. */
struct check_findings {
    struct arena arena;
    struct check_finding *items;
    size_t count, capacity;
};

/* "error", "warning", "info" */
const char *check_severity_name(enum check_severity severity);

/* A text that lives as long as the findings: one line of UTF-8. */
const char *check_text(struct check_findings *findings, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* where and remedy: literals, or texts of check_text. */
void check_add(struct check_findings *findings, enum check_severity severity, const char *where,
               const char *remedy, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* From an error, whose text says what to do behind its last "; ", if anywhere; otherwise fallback
 * does. */
void check_add_err(struct check_findings *findings, enum check_severity severity, const char *where,
                   const struct err *err, const char *fallback);

/* Whether anything was said of this place. */
bool check_has(const struct check_findings *findings, const char *where);
size_t check_count(const struct check_findings *findings, enum check_severity severity);
/* Errors first, then warnings; otherwise in the order in which they were found. */
void check_sort(struct check_findings *findings);

/* {"findings":[{severity,where,what,remedy}]} and a newline. */
void check_render_json(const struct check_findings *findings, struct buf *out);
/* For people. */
void check_render_text(const struct check_findings *findings, struct buf *out);

void check_findings_free(struct check_findings *findings);

#endif
