#include "es/answer.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool contains(struct slice text, const char *part)
{
    return text.ptr && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* An index that is read-only, full, closed or still coming up: neither a login's fault nor a
 * document's, and it passes. 1.x gives text, in which anything may occur, and 403 for these. */
static bool is_block(int status, const struct json_node *error)
{
    const struct json_node *type = json_member(error, "type");
    if (type)
        return slice_is(type->text, "cluster_block_exception") ||
               slice_is(type->text, "index_closed_exception");
    return status == 403 && error && error->type == JSON_STRING &&
           (contains(error->text, "ClusterBlockException") ||
            contains(error->text, "IndexClosedException"));
}

enum err_code es_status_code(int status, const struct json_node *error)
{
    if (is_block(status, error))
        return ERR_UNAVAILABLE;
    switch (status) {
    case 401:
    case 403:
        return ERR_AUTH;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 413:
        return ERR_TOO_LARGE;
    case 408:
    case 429:
        return ERR_OVERLOADED;
    default:
        if (status >= 500)
            return ERR_UNAVAILABLE;
        return status >= 400 ? ERR_REQUEST : ERR_CONFIG; /* somebody redirects */
    }
}

/* Records belong into no log, and a long one would push the cause out of the line. */
static struct slice without_preview(struct slice text)
{
    static const char preview[] = ". Preview of field's value";
    const char *at = memmem(text.ptr, text.len, preview, strlen(preview));
    return at ? slice_of(text.ptr, (size_t)(at - text.ptr)) : text;
}

static void append_part(struct buf *out, size_t begin, const struct json_node *part)
{
    if (!part || part->type != JSON_STRING || part->text.len == 0)
        return;
    if (out->len > begin)
        buf_append_str(out, ": ");
    buf_append_slice(out, without_preview(part->text));
}

/* "closed" alone does not tell what is. */
static void append_index(struct buf *out, size_t begin, const struct json_node *error)
{
    const struct json_node *index = json_member(error, "index");
    if (!index || index->type != JSON_STRING || !is_block(0, error) || index->text.len == 0 ||
        memmem(out->ptr + begin, out->len - begin, index->text.ptr, index->text.len))
        return;
    buf_append_str(out, ": ");
    buf_append_slice(out, index->text);
}

void es_error_text(const struct json_node *error, struct buf *out)
{
    const size_t begin = out->len;
    append_part(out, begin, error);
    append_part(out, begin, json_member(error, "type"));
    append_part(out, begin, json_member(error, "reason"));
    append_part(out, begin, json_path(error, "caused_by.reason"));
    if (out->len == begin)
        return;
    append_index(out, begin, error);
    if (out->len - begin > ERR_TEXT_MAX) {
        out->len = begin + ERR_TEXT_MAX;
        while (out->len > begin && ((unsigned char)out->ptr[out->len] & 0xc0) == 0x80)
            out->len--;
    }
    const bool utf8 = json_utf8_valid(slice_of(out->ptr + begin, out->len - begin));
    for (size_t i = begin; i < out->len; i++) {
        const unsigned char c = (unsigned char)out->ptr[i];
        if (c < 0x20 || c == 0x7f || (!utf8 && c >= 0x80))
            out->ptr[i] = ' ';
    }
}

/* -- bulk ---------------------------------------------------------------------------------- */

/* wrapped: {"index":{"status":200,…}} */
static bool read_item(const struct json_node *wrapped, struct es_bulk_item *item, struct buf *texts)
{
    const struct json_node *n =
        wrapped->type == JSON_OBJECT && wrapped->children == 1 ? json_first(wrapped) : NULL;
    const struct json_node *status = json_member(n, "status");
    const struct json_node *error = json_member(n, "error");
    int64_t value;
    if (!status || !json_int64(status, &value) || value < 200 || value > 599)
        return false;
    const size_t begin = texts->len;
    es_error_text(error, texts);
    *item = (struct es_bulk_item){.status = (int)value, .reason.len = texts->len - begin};
    /* 404 without an error: a delete of what is not there */
    if (value >= 300 && (error || value != 404))
        item->code = es_status_code((int)value, error);
    return true;
}

bool es_bulk_read(const struct json_node *json, struct es_bulk_item *items, size_t count,
                  struct buf *texts, struct err *err)
{
    const struct json_node *list = json_member(json, "items");
    if (!list || list->type != JSON_ARRAY || list->children != count)
        return err_set(err, ERR_PROTOCOL,
                       "the answer to a bulk of %zu does not list that many outcomes", count);
    size_t i = 0;
    for (const struct json_node *n = json_first(list); n; n = json_next(list, n))
        if (!read_item(n, &items[i++], texts))
            return err_set(err, ERR_PROTOCOL, "outcome %zu of a bulk has no status", i);
    /* texts stays where it is from here on */
    size_t at = 0;
    for (i = 0; i < count; i++) {
        if (items[i].reason.len > 0) {
            items[i].reason.ptr = texts->ptr + at;
            at += items[i].reason.len;
        } else if (items[i].code != ERR_NONE) {
            items[i].reason = SLICE_LIT("refused without a reason");
        }
    }
    return true;
}

/* -- documents ----------------------------------------------------------------------------- */

static bool optional_int(const struct json_node *n, int64_t *out)
{
    *out = -1;
    return !n || json_int64(n, out);
}

bool es_hit_read(const struct json_node *hit, struct es_document *out, struct err *err)
{
    const struct json_node *id = json_member(hit, "_id");
    const struct json_node *found = json_member(hit, "found");
    const struct json_node *version = json_member(hit, "_version");
    const struct json_node *routing = json_member(hit, "_routing");
    const struct json_node *source = json_member(hit, "_source");
    *out =
        (struct es_document){.found = found ? found->type == JSON_TRUE : !json_member(hit, "error"),
                             .seq_no = -1,
                             .primary_term = -1};
    if (!id || id->type != JSON_STRING)
        return err_set(err, ERR_PROTOCOL, "a document came without an _id");
    out->id = id->text;
    if (!out->found)
        return true;
    if (!version || !json_int64(version, &out->version))
        return err_set(err, ERR_PROTOCOL, "a document came without a _version");
    if (routing && routing->type == JSON_STRING)
        out->routing = routing->text;
    if (source && source->type == JSON_OBJECT)
        out->source = source;
    return (optional_int(json_member(hit, "_seq_no"), &out->seq_no) &&
            optional_int(json_member(hit, "_primary_term"), &out->primary_term)) ||
           err_set(err, ERR_PROTOCOL, "a document came with a _seq_no that is no number");
}

/* The index takes no document without a routing, so there is none by the _id alone. */
static bool needs_routing(const struct json_node *error)
{
    const struct json_node *type = json_member(error, "type");
    return type && slice_is(type->text, "routing_missing_exception");
}

/* Items of _mget have no status: here the name must do. */
static bool item_error(const struct json_node *error, struct err *err)
{
    struct buf text = {0};
    es_error_text(error, &text);
    const bool gone = contains(buf_slice(&text), "index_not_found_exception") ||
                      contains(buf_slice(&text), "IndexMissingException");
    err_set(err, gone ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "%.*s", SLICE_ARG(buf_slice(&text)));
    buf_free(&text);
    return false;
}

bool es_mget_read(const struct json_node *json, const struct slice *ids,
                  struct es_document *documents, size_t count, struct err *err)
{
    const struct json_node *list = json_member(json, "docs");
    if (!list || list->type != JSON_ARRAY || list->children != count)
        return err_set(err, ERR_PROTOCOL,
                       "the answer to a read of %zu documents does not list that many", count);
    size_t i = 0;
    for (const struct json_node *n = json_first(list); n; n = json_next(list, n), i++) {
        const struct json_node *error = json_member(n, "error");
        if (error && !needs_routing(error))
            return item_error(error, err);
        if (!es_hit_read(n, &documents[i], err))
            return false;
        if (!slice_equal(documents[i].id, ids[i]))
            return err_set(err, ERR_PROTOCOL, "document %zu of a read is another than asked for",
                           i);
    }
    return true;
}

/* -- searches ------------------------------------------------------------------------------ */

static const struct json_node *first_failure(const struct json_node *json)
{
    const struct json_node *failures = json_path(json, "_shards.failures");
    const struct json_node *first =
        failures && failures->type == JSON_ARRAY ? json_first(failures) : NULL;
    return json_member(first, "reason");
}

bool es_shards_fine(const struct json_node *json, struct err *err)
{
    const struct json_node *failed = json_path(json, "_shards.failed");
    int64_t count;
    if (!failed || !json_int64(failed, &count))
        return err_set(err, ERR_PROTOCOL, "an answer came without its shards");
    if (count == 0)
        return true;
    struct buf text = {0};
    es_error_text(first_failure(json), &text);
    err_set(err, ERR_UNAVAILABLE, "%lld shards failed%s%.*s", (long long)count,
            text.len ? ": " : "", SLICE_ARG(buf_slice(&text)));
    buf_free(&text);
    return false;
}

const struct json_node *es_hits(const struct json_node *json, struct err *err)
{
    const struct json_node *hits = json_path(json, "hits.hits");
    const struct json_node *timed_out = json_member(json, "timed_out");
    const struct json_node *total = json_path(json, "_shards.total");
    const struct json_node *successful = json_path(json, "_shards.successful");
    int64_t all, answered;
    if (!es_shards_fine(json, err))
        return NULL;
    if (!hits || hits->type != JSON_ARRAY || !total || !json_int64(total, &all) || !successful ||
        !json_int64(successful, &answered)) {
        err_set(err, ERR_PROTOCOL, "a search was answered without hits");
        return NULL;
    }
    /* 1.x and 2.x count a shard that is not there as neither failed nor successful. */
    if (answered < all || (timed_out && timed_out->type == JSON_TRUE)) {
        err_set(err, ERR_UNAVAILABLE, "%lld of %lld shards could be searched%s",
                (long long)answered, (long long)all, answered < all ? "" : " in time");
        return NULL;
    }
    return hits;
}

/* -- mappings ------------------------------------------------------------------------------ */

const struct json_node *es_mapping_read(const struct json_node *json, const char *type,
                                        struct err *err)
{
    if (json->type == JSON_OBJECT && json->children == 0)
        return json; /* 1.x, of an index without a mapping */
    const struct json_node *index = json->type == JSON_OBJECT ? json_first(json) : NULL;
    const struct json_node *mapping = json_member(index, "mappings");
    if (!mapping || mapping->type != JSON_OBJECT) {
        err_set(err, ERR_PROTOCOL, "the answer has no mapping");
        return NULL;
    }
    if (json->children > 1) {
        err_set(err, ERR_SCHEMA, "the name stands for %u indices, it must be one", json->children);
        return NULL;
    }
    if (!type || mapping->children == 0)
        return mapping;
    const struct json_node *typed = json_member(mapping, type);
    if (!typed)
        err_set(err, ERR_SCHEMA, "the index has no type \"%s\" but \"%.*s\"", type,
                SLICE_ARG(json_first(mapping)->key));
    return typed;
}
