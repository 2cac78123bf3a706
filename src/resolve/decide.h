#ifndef RESOLVE_DECIDE_H
#define RESOLVE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

/* Who wins. Pure: no I/O, no clock, no memory. docs/semantics.md tells the reasons. */

enum resolve_action {
    RESOLVE_NOTHING,
    RESOLVE_TO_CASSANDRA,     /* write the document (or its deletion) into the table */
    RESOLVE_TO_ELASTICSEARCH, /* write the row (or its deletion) into the index */
    RESOLVE_PUT_OFF,          /* can't be decided before the next cycle */
    RESOLVE_WAIT,             /* a missing row: look again when deleteSettle has passed */
    RESOLVE_DEAD,             /* to the dead letters */
};

/* Every rule that can decide a record: name, and the words that logs and `explain` use. */
#define RESOLVE_RULES(X)                                                                           \
    X(UNKNOWN_KEY, "neither store has a version of it")                                            \
    X(EQUAL, "both hold the same content at the same version")                                     \
    X(COPY_STANDS, "the row is still what was copied")                                             \
    X(DOCUMENT_NEWER, "Elasticsearch has the higher version")                                      \
    X(ROW_NEWER, "Cassandra has the higher version")                                               \
    X(ROW_AFTER_DELETE, "the row came after its entry had been taken for a delete")                \
    X(HARD_DELETE, "the document was there at this version and is gone: a hard delete, which "     \
                   "only verify and repair treat")                                                 \
    X(OWN_DELETE, "the row is missing because its deletion was copied here")                       \
    X(OWN_ROW_LOST, "the copied row is missing: its origin is copied again")                       \
    X(ROW_DELETED, "an entry without a row is a delete")                                           \
    X(ROW_MISSING_YET, "an entry without a row: a delete once deleteSettle has passed")            \
    X(DELETED_EVERYWHERE, "a delete of what is not in Elasticsearch")                              \
    X(MISSING_ROW_SKIPPED, "an entry without a row (missingRow: skip)")                            \
    X(OWN_COPY_IN_CASSANDRA, "the row is a copy of an earlier content of the same version")        \
    X(OWN_COPY_IN_ELASTICSEARCH, "the document is a copy of an earlier content of the same "       \
                                 "version")                                                        \
    X(TIE, "both were written with the same version (sync.tie)")                                   \
    X(OWN_ROW_REPLACED, "a lower version was written over the copied row: it is copied again")     \
    X(COPY_REPLACED, "what replaced the copied row may be a lower version whose entry does not "   \
                     "show yet")                                                                   \
    X(ROW_TOO_FRESH, "the row was written so recently that its entry may not show yet")            \
    X(ROW_UNEXPLAINED, "the row was written since the last cycle, but no entry tells its version") \
    X(WINDOW_TOO_SHORT, "the row's entry is looked for in the whole overlap first")                \
    X(VERSION_IN_FUTURE, "the version lies further in the future than sync.maxFutureSkew")         \
    X(WRITE_TIME_IN_FUTURE,                                                                        \
      "the row's write time lies further in the future than sync.maxFutureSkew")                   \
    X(TOO_MANY_DELETES, "too many deletes at once (CassandraConfig.maxDeletes)")                   \
    X(WRITTEN_SINCE, "it was written since it was compared")                                       \
    X(UNREADABLE, "the document can't be converted")                                               \
    X(POLICY, "the side that repair was told to trust")                                            \
    X(ONE_SIDE_COPIED, "it is on one side only: copied")                                           \
    X(ONE_SIDE_DELETED, "it is on one side only: deleted, as repair was told")                     \
    X(NO_VERSION, "no version of the record is known; give CassandraConfig.versionColumn")

enum resolve_rule {
#define RESOLVE_ENUM(name, text) RESOLVE_RULE_##name,
    RESOLVE_RULES(RESOLVE_ENUM)
#undef RESOLVE_ENUM
};
const char *resolve_rule_text(enum resolve_rule rule);
/* "row_newer": for programs. */
enum { RESOLVE_RULE_NAME_MAX = 32 };
void resolve_rule_name(enum resolve_rule rule, char name[RESOLVE_RULE_NAME_MAX]);

/* What the daemon itself sent to one side for (key, V), V being the higher version. */
struct resolve_own {
    bool recorded;     /* a copy or delete was sent, or was about to be */
    bool acknowledged; /* and the server said that it took effect */
    bool deleted;      /* it was a delete */
    bool holds;        /* that side's content is still what was sent */
};

struct resolve_facts {
    int64_t document_version; /* 0: no document */
    bool document_missing;    /* no document, or one marked as deleted */
    bool document_unreadable;
    int64_t entry_version; /* the key's highest entry in Cassandra's window; 0: none */
    bool entry_explains;   /* one of its entries can be of the write that the row shows */
    bool row_missing;
    int64_t row_write_time; /* µs, or CHANGE_NO_WRITE_TIME */
    bool row_written_by_us; /* the last write to it is the daemon's: the write time tells */
    bool row_is_own;        /* it holds what the daemon sent for any version, whoever wrote it */
    bool row_unexplained;   /* in the dead letters as such, and unchanged since */
    bool row_may_be_lower;  /* what replaced the copy may be the write of a lower entry */
    bool row_settled;       /* what replaced the copy was seen settle ago: its entry shows by now */
    bool equal;             /* the contents are; asked only where the versions are equal */
    struct resolve_own own_document, own_row;
    bool delete_settled; /* deleteSettle has passed since the entry was first seen */
};

enum resolve_guard { RESOLVE_GUARD_SNAPSHOT, RESOLVE_GUARD_TIMESTAMP };
enum resolve_tie { RESOLVE_TIE_ELASTICSEARCH, RESOLVE_TIE_CASSANDRA };

struct resolve_rules {
    enum resolve_guard guard;
    enum resolve_tie tie;
    bool skip_missing_rows;
    int64_t settled;         /* S, µs */
    int64_t settled_before;  /* P, µs: S of the last completed cycle */
    int64_t read_from;       /* entries from this version up were read, as far as they count */
    int64_t latest_version;  /* versions beyond it lie too far in the future; 0: no limit */
    int64_t latest_write_us; /* the same for write times */
    bool whole_overlap;      /* this cycle has read all of the overlap */
};

struct resolve_decision {
    enum resolve_action action;
    enum resolve_rule rule;
    int64_t version; /* the higher of both */
    bool delete;     /* the write is a deletion */
    bool gte;        /* external_gte instead of external */
};

struct resolve_decision resolve_decide(const struct resolve_facts *facts,
                                       const struct resolve_rules *rules);

#endif
