#ifndef JOB_CHECK_H
#define JOB_CHECK_H

#include "job/check_finding.h"
#include "pipeline/pipeline.h"

/* Looks at both servers and at a sample of real data for what would go wrong, and writes nothing.
 * All that it reads is bounded. */
struct job_check_options {
    const struct pipeline_options *pipeline;
    const char *index;
    const char *type;                                      /* of documents below 7; NULL: "doc" */
    const char *cassandra_address, *elasticsearch_address; /* as configured */
    const char *local_datacenter;                          /* NULL: not configured */
    bool elasticsearch_login;                              /* some login is configured */
    /* Where an option stands, "configuration sync.overlap (line 7)"; in the findings' arena. */
    const char *(*place)(void *ctx, const char *option, struct check_findings *findings);
    void *place_ctx;
};

/* Adds to findings. False: a server could not be reached or refused the login; err is the first
 * such failure, which is also among the findings. For tasks. */
MUST_USE bool job_check(struct cql_client *cassandra, struct es_client *elasticsearch,
                        const struct job_check_options *options, struct check_findings *findings,
                        struct err *err);

#endif
