#ifndef JOB_DIFFERENCE_H
#define JOB_DIFFERENCE_H

#include "base/buf.h"
#include "base/json.h"
#include "base/slice.h"

#include <stdint.h>

/* How the two stores can differ in one record. */
#define JOB_KINDS(X)                                                                          \
    X(MISSING_IN_ELASTICSEARCH, "missing_in_elasticsearch")                                   \
    X(DELETED_IN_ELASTICSEARCH, "deleted_in_elasticsearch") /* it was there: a hard delete */ \
    X(MISSING_IN_CASSANDRA, "missing_in_cassandra")                                           \
    X(OLDER_IN_ELASTICSEARCH, "older_in_elasticsearch")                                       \
    X(OLDER_IN_CASSANDRA, "older_in_cassandra")                                               \
    X(DIFFERENT, "different")   /* the same version, or none that is known */                 \
    X(UNPARSABLE, "unparsable") /* no key of the table, or a value that no column takes */

enum job_kind {
#define JOB_KIND_ENUM(name, text) JOB_##name,
    JOB_KINDS(JOB_KIND_ENUM)
#undef JOB_KIND_ENUM
        JOB_KIND_COUNT
};

struct job_difference {
    struct slice key;
    enum job_kind kind;
    int64_t elasticsearch_version; /* 0: no document */
    int64_t cassandra_version;     /* of the row, or of its delete; 0: not known */
    int64_t cassandra_write_time;  /* of the row that has it, µs; 0: no row, or not known */
};

const char *job_kind_text(enum job_kind kind);
/* {"key","kind","elasticsearch_version","cassandra_version","cassandra_write_time"}; numbers of 0
 * are null. */
void job_difference_append(struct buf *out, const struct job_difference *difference);
/* The same back; false: no such object. Borrows. */
MUST_USE bool job_difference_read(const struct json_node *node, struct job_difference *out);

#endif
