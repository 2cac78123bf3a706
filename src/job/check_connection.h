#ifndef JOB_CHECK_CONNECTION_H
#define JOB_CHECK_CONNECTION_H

#include "es/version.h"
#include "job/check_finding.h"

/* What is to be said of a server's version. Pure. */
void check_cassandra_version(struct check_findings *findings, const char *where,
                             const char *release, int protocol);
void check_elasticsearch_version(struct check_findings *findings, const char *where,
                                 const struct es_version *version);

#endif
