#ifndef ES_ANSWER_H
#define ES_ANSWER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "es/client.h"

/* For the files of es/ only: what servers answer, made into values. Pure. */

/* Error code of a status >= 300, for a whole request or one item of it. error (may be NULL) is the
 * error object or, in 1.x, its text. */
enum err_code es_status_code(int status, const struct json_node *error);

/* Appends "type: reason: cause" of such an error to out: one line of UTF-8, at most ERR_TEXT_MAX
 * bytes; nothing for NULL. */
void es_error_text(const struct json_node *error, struct buf *out);

/* Fills items[count] from the answer to a bulk of count actions; the reasons are kept in texts.
 * Errors: ERR_PROTOCOL. */
MUST_USE bool es_bulk_read(const struct json_node *json, struct es_bulk_item *items, size_t count,
                           struct buf *texts, struct err *err);

/* Fills documents[count] from the answer to _mget of these ids. */
MUST_USE bool es_mget_read(const struct json_node *json, const struct slice *ids,
                           struct es_document *documents, size_t count, struct err *err);

/* The hits of a search that all shards took part in, or NULL with err set: ERR_UNAVAILABLE when
 * some did not, ERR_PROTOCOL. */
const struct json_node *es_hits(const struct json_node *json, struct err *err);
/* One hit of them. */
MUST_USE bool es_hit_read(const struct json_node *hit, struct es_document *out, struct err *err);

/* The mapping of the index, of type if the server has types (else NULL). */
const struct json_node *es_mapping_read(const struct json_node *json, const char *type,
                                        struct err *err);

/* Whether no shard failed in the answer to a refresh or search. */
MUST_USE bool es_shards_fine(const struct json_node *json, struct err *err);

#endif
