#ifndef JOB_CHECK_KEYSPACE_H
#define JOB_CHECK_KEYSPACE_H

#include "cql/statement.h"
#include "job/check_finding.h"

struct check_copies {
    struct slice datacenter; /* "replication_factor" where the strategy knows none */
    int64_t count;
};

/* How a keyspace is replicated, and by whom it is read and written. */
struct check_replication {
    struct slice strategy; /* without its package */
    const struct check_copies *copies;
    size_t copies_count;
    bool durable;
    const struct slice *datacenters; /* of the cluster */
    size_t datacenter_count;
    struct slice local_datacenter;
    bool local_given; /* it is configured, not found */
    enum cql_consistency consistency;
};

/* Pure. where: the keyspace; the others: places of CassandraConfig.consistency and localDatacenter.
 */
void check_judge_replication(struct check_findings *findings, const char *where, const char *option,
                             const char *local_option, const struct check_replication *replication);

/* Reads a cell of type map<text, text> as system_schema.keyspaces.replication has it; false when
 * it isn't one. Lives in the findings' arena, the texts in cell. */
MUST_USE bool check_read_replication(struct check_findings *findings, struct slice cell,
                                     struct check_replication *out);

#endif
