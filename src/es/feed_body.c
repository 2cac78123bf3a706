#include "es/feed_body.h"

static bool keep_text(struct buf *to, const struct json_node *n, enum json_type type)
{
    if (!n || n->type != type)
        return false;
    buf_clear(to);
    buf_append_slice(to, type == JSON_STRING ? n->text : n->raw);
    return to->len > 0;
}

bool es_feed_keep_context(struct es_feed_state *state, const struct json_node *json,
                          bool elasticsearch)
{
    return keep_text(&state->context, json_member(json, elasticsearch ? "id" : "pit_id"),
                     JSON_STRING);
}

bool es_feed_keep_position(struct es_feed_state *state, const struct json_node *json,
                           const struct json_node *hits, bool scroll)
{
    if (scroll)
        return keep_text(&state->context, json_member(json, "_scroll_id"), JSON_STRING);
    const struct json_node *id = json_member(json, "pit_id");
    if (id && !keep_text(&state->context, id, JSON_STRING))
        return false;
    const struct json_node *last = NULL;
    for (const struct json_node *n = json_first(hits); n; n = json_next(hits, n))
        last = n;
    return !last || keep_text(&state->after, json_member(last, "sort"), JSON_ARRAY);
}

static void append_text(struct buf *body, const struct buf *text)
{
    if (!json_append_string(body, buf_slice(text)))
        buf_append_str(body, "\"\"");
}

static void append_from(struct buf *body, int64_t low)
{
    buf_printf(body, "{\"range\":{\"_seq_no\":{\"gte\":%lld}}}", (long long)low);
}

/* What is below the versions that were given, or behind all operations of which some were. */
static void append_operations(const struct es_feed_options *options, const struct es_client *client,
                              struct buf *body)
{
    int64_t low = options->from_seq_no;
    if (options->given_count == 0) {
        append_from(body, low);
        return;
    }
    buf_append_str(body, "{\"bool\":{\"should\":[");
    for (size_t i = 0; i < options->given_count; i++) {
        const struct es_given *given = &options->given[i];
        buf_printf(body,
                   "{\"bool\":{\"must\":[{\"range\":{\"_seq_no\":{\"gte\":%lld,\"lte\":%lld}}},",
                   (long long)low, (long long)given->seq_no);
        es_append_below(client, body, given->since);
        buf_append_str(body, "]}},");
        low = given->seq_no + 1;
    }
    append_from(body, low);
    buf_append_str(body, "]}}");
}

static void append_query(const struct es_feed_options *options, const struct es_client *client,
                         struct buf *body)
{
    const bool later = options->from_seq_no > 0 || options->given_count > 0;
    const bool several = options->where_true || later;
    buf_append_str(body, several ? "\"query\":{\"bool\":{\"must\":[" : "\"query\":");
    if (options->all)
        buf_append_str(body, "{\"match_all\":{}}");
    else
        es_append_range(client, body, options->since, options->until);
    if (later) {
        buf_append_char(body, ',');
        append_operations(options, client, body);
    }
    if (options->where_true) {
        buf_append_str(body, ",{\"term\":{");
        if (!json_append_string(body, slice_str(options->where_true)))
            buf_append_str(body, "\"\"");
        buf_append_str(body, ":true}}");
    }
    if (several)
        buf_append_str(body, "]}}");
}

/* No filter_path: to filter, the server would take every _source apart and write it anew, its
 * numbers rounded to doubles. */
static void append_search(const struct es_feed_state *state, const struct es_client *client,
                          bool untracked, struct buf *body)
{
    const struct es_version *v = &client->version;
    buf_printf(body, "{\"size\":%u,\"version\":true,", state->page_size);
    if (v->sequence_numbers && !state->options.no_source)
        buf_append_str(body, "\"seq_no_primary_term\":true,");
    if (v->untracked_hits && untracked)
        buf_append_str(body, "\"track_total_hits\":false,");
    if (state->bare || state->options.no_source)
        buf_append_str(body, "\"_source\":false,");
    else if (v->exclude_vectors)
        buf_append_str(body, "\"_source\":{\"exclude_vectors\":false},");
    append_query(&state->options, client, body);
}

static void append_slice(const struct es_feed_state *state, const struct es_client *client,
                         struct buf *body)
{
    if (client->version.slices && state->options.slices > 1)
        buf_printf(body, ",\"slice\":{\"id\":%u,\"max\":%u}", state->options.slice,
                   state->options.slices);
}

void es_feed_search_body(const struct es_feed_state *state, const struct es_client *client,
                         bool scroll, struct buf *body)
{
    append_search(state, client, !scroll, body); /* a scroll insists on counting */
    if (scroll) {
        buf_append_str(body, ",\"sort\":[\"_doc\"]");
        append_slice(state, client, body);
    }
    buf_append_char(body, '}');
}

/* The order of the index is the cheapest. OpenSearch skips what was read already only by _doc. */
void es_feed_context_body(const struct es_feed_state *state, const struct es_client *client,
                          struct buf *body)
{
    append_search(state, client, true, body);
    buf_append_str(body, ",\"pit\":{\"id\":");
    append_text(body, &state->context);
    buf_append_str(body, ",\"keep_alive\":\"" ES_FEED_KEEP_ALIVE "\"},\"sort\":");
    buf_append_str(body,
                   client->version.opensearch ? "[\"_doc\",\"_shard_doc\"]" : "[\"_shard_doc\"]");
    append_slice(state, client, body);
    if (state->after.len > 0) {
        buf_append_str(body, ",\"search_after\":");
        buf_append_slice(body, buf_slice(&state->after));
    }
    buf_append_char(body, '}');
}

const char *es_feed_scroll_body(const struct es_feed_state *state, const struct es_client *client,
                                struct buf *body)
{
    if (client->version.plain_scroll_id) {
        buf_append_slice(body, buf_slice(&state->context));
        return "/_search/scroll?scroll=" ES_FEED_KEEP_ALIVE;
    }
    buf_append_str(body, "{\"scroll\":\"" ES_FEED_KEEP_ALIVE "\",\"scroll_id\":");
    append_text(body, &state->context);
    buf_append_char(body, '}');
    return "/_search/scroll";
}

const char *es_feed_discard_body(const struct es_feed_state *state, const struct es_client *client,
                                 struct buf *body)
{
    const struct es_version *v = &client->version;
    if (v->point_in_time) {
        buf_append_str(body, "{\"id\":");
        append_text(body, &state->context);
        buf_append_char(body, '}');
        return "/_pit";
    }
    if (!v->opensearch_point_in_time && v->plain_scroll_id) {
        buf_append_slice(body, buf_slice(&state->context));
        return "/_search/scroll";
    }
    buf_append_str(body, v->opensearch_point_in_time ? "{\"pit_id\":[" : "{\"scroll_id\":[");
    append_text(body, &state->context);
    buf_append_str(body, "]}");
    return v->opensearch_point_in_time ? "/_search/point_in_time" : "/_search/scroll";
}
