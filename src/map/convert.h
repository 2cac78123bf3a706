#ifndef MAP_CONVERT_H
#define MAP_CONVERT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "change/record.h"
#include "map/schema.h"

/* Row <-> document, key <-> _id. Pure. A value that does not fit is ERR_VALUE naming the field
 * and why; it rejects that record and nothing else. */

/* Canonical text of a primary key (cells in key order) appended to out: the document's _id.
 * Composite keys are joined by '|' with '\' escaping. Errors: ERR_VALUE, also beyond the 512
 * bytes that Elasticsearch allows, and for an empty one. */
MUST_USE bool map_key_text(const struct map_schema *schema, const struct slice *cells,
                           struct buf *out, struct err *err);
/* Parses an _id into key cells (schema->key_count of them, in arena). Errors: ERR_VALUE when it
 * is no key or not the canonical rendering of one (it would name two documents). */
MUST_USE bool map_key_parse(const struct map_schema *schema, struct slice id, struct slice *cells,
                            struct arena *arena, struct err *err);

/* Document to cells: fills cells[schema->column_count] (in arena) from the fields of source whose
 * column travels to Cassandra; all others null. Of fields that stand there twice the last counts.
 * extra (may be NULL) says whether source has fields that a copy to Elasticsearch has to keep,
 * because no column that travels there takes their place (the timestamp and deleted fields don't
 * count). A source that is NULL or no object is ERR_VALUE, and so is a name with a dot ("a.b") that
 * stands for a part of a column's object. */
MUST_USE bool map_document_cells(const struct map_schema *schema, const struct json_node *source,
                                 struct slice *cells, bool *extra, struct arena *arena,
                                 struct err *err);

/* Appends the document for a row: the mapped non-null cells with to_elasticsearch, then
 * "timestamp_field": version when timestamp_field is not null, then the fields of present (may be
 * NULL) that none of these replaces, as they stand there; the deleted field of present is not kept,
 * the row is there. One JSON object without newlines. NULL cells leave their field out. On failure
 * nothing is appended. */
MUST_USE bool map_document_render(const struct map_schema *schema, const struct slice *cells,
                                  struct slice timestamp_field, int64_t version,
                                  const struct json_node *present, struct buf *out,
                                  struct err *err);

/* Appends a column's value as JSON for people; one that has no JSON form becomes a text that tells
 * why. */
void map_cell_show(const struct map_column *column, struct slice cell, struct buf *out);
/* {"field":value,…} of all columns that have one. */
void map_row_show(const struct map_schema *schema, const struct slice *cells, struct buf *out);

/* Puts a member behind the last one of a rendered document. */
void map_document_add_number(struct buf *document, struct slice field, int64_t value);

enum { MAP_TTL_MAX = 630720000 }; /* Cassandra's: 20 years */
/* What the schema's ttl_field says, in seconds; 0: nothing. */
MUST_USE bool map_document_ttl(const struct map_schema *schema, const struct json_node *source,
                               int32_t *ttl, struct err *err);

/* Brings cells as they came from Cassandra into the canonical form (map/normal.h): empty
 * collections become null, what has several encodings gets its one. New bytes live in arena, the
 * old ones stay as they are. */
void map_row_normalise(const struct map_schema *schema, struct slice *cells, struct arena *arena);

/* Whether two contents are the same in the columns that travel both ways. Two missing ones are
 * equal; missing and present are not. */
bool map_content_equal(const struct map_schema *schema, const struct change_content *a,
                       const struct change_content *b);
/* Hash over the columns that travel to the target side. */
struct change_hash map_content_hash(const struct map_schema *schema,
                                    const struct change_content *content, bool to_cassandra);

#endif
