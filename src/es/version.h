#ifndef ES_VERSION_H
#define ES_VERSION_H

#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

/* What a server can do and how it wants to be asked. The only place that knows versions: the
 * others look at the capabilities. */
struct es_version {
    bool opensearch;
    int major, minor, patch;
    char text[32]; /* "9.5.3" */

    bool typed;             /* documents have a type, in the path */
    bool underscore_meta;   /* bulk actions say "_version", not "version" */
    bool meta_timestamp;    /* `_timestamp` of the seed's days instead of a field */
    bool string_type;       /* mappings know "string" instead of "text" and "keyword" */
    bool sequence_numbers;  /* _seq_no and _primary_term */
    bool exclude_vectors;   /* leaves vectors out of _source unless asked */
    bool scroll_id_in_body; /* a scroll goes on by JSON instead of by plain text */
    enum { ES_SCROLL, ES_PIT, ES_PIT_OPENSEARCH } snapshot; /* how a feed keeps its view */
    const char *tiebreak; /* what orders hits of one timestamp in a point in time */
};

/* Fills everything from a distribution (null: Elasticsearch) and a number. Errors: ERR_PROTOCOL
 * when number is none, ERR_CONFIG for servers older than 1.7. */
MUST_USE bool es_version_parse(struct slice distribution, struct slice number,
                               struct es_version *version, struct err *err);

#endif
