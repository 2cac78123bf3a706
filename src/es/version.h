#ifndef ES_VERSION_H
#define ES_VERSION_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

/* What servers can do and how they want to be asked, as major * 100 + minor: a capability is there
 * from the first version up to, not including, the second; 0 as the first: never. The only place
 * that knows versions. OpenSearch 1.0 is Elasticsearch 7.10 under another name. */
#define ES_CAPABILITIES(X)                                                                    \
    /* name                 Elasticsearch  OpenSearch */                                      \
    X(typed, 100, 700, 0, 0)                /* documents have a type, in the path */          \
    X(underscore_meta, 100, 600, 0, 0)      /* bulk actions say "_version", not "version" */  \
    X(meta_timestamp, 100, 500, 0, 0)       /* `_timestamp`, in ms, instead of a field */     \
    X(string_type, 100, 500, 0, 0)          /* "string" instead of "text" and "keyword" */    \
    X(waits_for_no_shards, 100, 500, 0, 0)  /* a new index may still be without its shards */ \
    X(plain_scroll_id, 100, 200, 0, 0)      /* a scroll goes on by plain text, not by JSON */ \
    X(takes_gzip, 500, ANY, 100, ANY)       /* without being configured to; others hang up */ \
    X(tells_routing, 500, ANY, 100, ANY)    /* of every document; it can be searched for */   \
    X(slices, 500, ANY, 100, ANY)           /* a scroll or point in time can be divided */    \
    X(sequence_numbers, 607, ANY, 100, ANY) /* _seq_no and _primary_term */                   \
    X(untracked_hits, 700, ANY, 100, ANY)   /* searches need not count all hits */            \
    X(checkpoints, 704, ANY, 0, 0)          /* of shards, in stats: see source/history.h */   \
    X(point_in_time, 712, ANY, 0, 0)        /* with _shard_doc to page by */                  \
    X(opensearch_point_in_time, 0, 0, 303, ANY)                                               \
    X(slices_by_place, 800, ANY, 0, 0) /* of a point in time, without looking at each id */   \
    X(dense_vector, 811, ANY, 0, 0)    /* to search by, of up to 4,096 dimensions */          \
    X(exclude_vectors, 902, ANY, 0, 0) /* leaves vectors out of _source unless asked */

struct es_version {
    bool opensearch;
    int major, minor, patch;
    char text[32]; /* "9.5.3" */
#define ES_CAPABILITY_MEMBER(name, from, before, os_from, os_before) bool name;
    ES_CAPABILITIES(ES_CAPABILITY_MEMBER)
#undef ES_CAPABILITY_MEMBER
};

/* Fills everything from a distribution (null: Elasticsearch) and a number. Errors: ERR_PROTOCOL
 * when number is none, ERR_CONFIG for servers older than 1.7. */
MUST_USE bool es_version_parse(struct slice distribution, struct slice number,
                               struct es_version *version, struct err *err);

#endif
