#ifndef RESOLVE_MEND_H
#define RESOLVE_MEND_H

#include "resolve/decide.h"

/* What `repair` does with a record whose sides differ. Pure. Unlike a cycle it knows no windows:
 * versions are what verify found, the policy is what somebody asked for. */

enum resolve_policy {
    RESOLVE_POLICY_NEWEST,
    RESOLVE_POLICY_ELASTICSEARCH,
    RESOLVE_POLICY_CASSANDRA
};
enum resolve_missing { RESOLVE_MISSING_COPY, RESOLVE_MISSING_DELETE };

struct resolve_mend_facts {
    int64_t document_version; /* 0: no document */
    bool document_missing;    /* none, or one marked as deleted */
    bool document_unreadable;
    int64_t row_version; /* of the row, or of the delete that is known; 0: nobody knows */
    bool row_missing;
    int64_t row_write_time; /* µs, or CHANGE_NO_WRITE_TIME */
    bool row_is_known;      /* the daemon's own last write, or one whose entry has been seen */
    bool equal;
    bool document_is_other; /* than the one that was compared: written since */
    bool row_is_other;
    bool version_guessed;  /* row_version may follow from the row's write time */
    bool delete_refused;   /* a delete of the row is among the dead letters */
    bool delete_unsettled; /* its entry is so young that the row may show yet */
    bool copy_replaced; /* the row was the daemon's copy of the document's version; see decide.h */
    bool row_may_be_lower, row_settled;
};

/* The write's version is the higher of both: what wins by the policy must not lose to what was
 * there. */
struct resolve_decision resolve_mend(const struct resolve_mend_facts *facts,
                                     const struct resolve_rules *rules, enum resolve_policy policy,
                                     enum resolve_missing missing);

#endif
