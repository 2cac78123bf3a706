/* A scripted Elasticsearch 9 that answers at once, so that what the daemon itself costs can be
 * measured. One index; bulks are acknowledged and dropped, no document is found by its id.
 *
 *   bench_fake_elasticsearch PORT RECORDS VERSION [window]  prints its port; 0 takes any
 *
 * RECORDS documents are found by sequence number, or all of them; with window also by version. */
#include "support/record.h"
#include "support/serve.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake {
    uint64_t records;
    long long version;
    bool window;
    struct buf hits; /* rendered, each with a comma behind it */
    size_t *starts;
};

static void render_hits(struct fake *fake)
{
    fake->starts = mem_array(fake->records + 1, sizeof *fake->starts);
    for (uint64_t i = 0; i < fake->records; i++) {
        const struct record record = record_make(i);
        fake->starts[i] = fake->hits.len;
        buf_printf(&fake->hits,
                   "{\"_index\":\"bench\",\"_id\":\"%s\",\"_version\":%lld,\"_seq_no\":%llu,"
                   "\"_primary_term\":1,\"_score\":null,\"_source\":",
                   record.key_text, fake->version, (unsigned long long)i);
        record_document(&record, fake->version, &fake->hits);
        buf_printf(&fake->hits, ",\"sort\":[%llu]},", (unsigned long long)i);
    }
    fake->starts[fake->records] = fake->hits.len;
}

static long long number_behind(struct slice text, const char *name, long long fallback)
{
    const char *at = memmem(text.ptr, text.len, name, strlen(name));
    if (!at)
        return fallback;
    at += strlen(name);
    while (*at == '"' || *at == '[' || *at == ':')
        at++;
    return strtoll(at, NULL, 10);
}

static void append_hits(const struct fake *fake, uint64_t first, uint64_t count, struct buf *out)
{
    buf_append_str(out, "{\"took\":1,\"timed_out\":false,\"_shards\":{\"total\":1,"
                        "\"successful\":1,\"skipped\":0,\"failed\":0},\"pit_id\":\"p\","
                        "\"hits\":{\"max_score\":null,\"hits\":[");
    if (count > 0)
        buf_append(out, fake->hits.ptr + fake->starts[first],
                   fake->starts[first + count] - fake->starts[first] - 1);
    buf_append_str(out, "]}}");
}

/* All documents, or the slice of them that is asked for. */
static void find_all(const struct fake *fake, struct slice body, uint64_t *first, uint64_t *end)
{
    const char *slice = memmem(body.ptr, body.len, "\"slice\"", 7);
    const struct slice rest =
        slice ? slice_of(slice, (size_t)(body.ptr + body.len - slice)) : SLICE_NULL;
    const uint64_t id = slice ? (uint64_t)number_behind(rest, "\"id\":", 0) : 0;
    const uint64_t max = slice ? (uint64_t)number_behind(rest, "\"max\":", 1) : 1;
    *first = fake->records * id / max;
    *end = fake->records * (id + 1) / max;
}

static void answer_search(const struct fake *fake, struct slice body, struct buf *out)
{
    uint64_t first = 0, end = fake->window ? fake->records : 0;
    const uint64_t size = (uint64_t)number_behind(body, "\"size\":", 10);
    const bool numbers = memmem(body.ptr, body.len, "_seq_no\":{\"gte", 14) != NULL;
    if (memmem(body.ptr, body.len, "\"desc\"", 6)) {
        first = fake->records > 0 ? fake->records - 1 : 0;
        end = fake->records;
    } else if (numbers) {
        first = (uint64_t)number_behind(body, "_seq_no\":{\"gte\":", 0);
        end = (uint64_t)number_behind(body, "\"lte\":", 0) + 1;
    } else if (memmem(body.ptr, body.len, "\"match_all\"", 11)) {
        find_all(fake, body, &first, &end);
    } else if (number_behind(body, "\"gte\":", 0) > fake->version) {
        end = 0;
    }
    const long long after = number_behind(body, "\"search_after\":", -1);
    first = after >= 0 ? (uint64_t)after + 1 : first;
    end = end < fake->records ? end : fake->records;
    first = first < end ? first : end;
    append_hits(fake, first, end - first < size ? end - first : size, out);
}

/* One item a source line: all actions are "index". */
static void answer_bulk(struct slice body, struct buf *out)
{
    size_t lines = 0;
    for (const char *at = body.ptr, *end = at + body.len;
         at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    buf_append_str(out, "{\"items\":[");
    for (size_t i = 0; i < lines / 2; i++)
        buf_append_str(out, i ? ",{\"index\":{\"status\":201}}" : "{\"index\":{\"status\":201}}");
    buf_append_str(out, "]}");
}

static void answer_mget(struct slice body, struct buf *out)
{
    const char *at = body.ptr, *end = body.ptr + body.len;
    bool first = true;
    buf_append_str(out, "{\"docs\":[");
    at = memchr(at, '[', body.len);
    while (at && (at = memchr(at, '"', (size_t)(end - at)))) {
        const char *close = memchr(at + 1, '"', (size_t)(end - at - 1));
        if (!close)
            break;
        buf_append_str(out, first ? "{\"_index\":\"bench\",\"_id\":"
                                  : ",{\"_index\":\"bench\",\"_id\":");
        buf_append(out, at, (size_t)(close - at) + 1);
        buf_append_str(out, ",\"found\":false}");
        at = close + 1;
        first = false;
    }
    buf_append_str(out, "]}");
}

static void answer_mapping(struct buf *out)
{
    buf_append_str(out, "{\"bench\":{\"mappings\":{\"dynamic\":\"strict\",\"properties\":{"
                        "\"timestamp\":{\"type\":\"long\"}");
    for (unsigned i = 1; i < RECORD_COLUMNS; i++)
        buf_printf(out, ",\"%s\":{\"type\":\"%s\"}", record_columns[i].name,
                   record_columns[i].elastic);
    buf_append_str(out, "}}}}");
}

static bool path_has(struct slice head, const char *part)
{
    const char *end = memchr(head.ptr, '\r', head.len);
    return memmem(head.ptr, (size_t)(end - head.ptr), part, strlen(part)) != NULL;
}

static void answer(const struct fake *fake, struct slice head, struct slice body, struct buf *out)
{
    if (path_has(head, "/_bulk"))
        answer_bulk(body, out);
    else if (path_has(head, "/_mget"))
        answer_mget(body, out);
    else if (path_has(head, "/_search"))
        answer_search(fake, body, out);
    else if (path_has(head, "/_pit"))
        buf_append_str(out, "{\"id\":\"p\",\"succeeded\":true}");
    else if (path_has(head, "/_count"))
        buf_printf(out, "{\"count\":%llu,\"_shards\":{\"total\":1,\"failed\":0}}",
                   (unsigned long long)fake->records);
    else if (path_has(head, "/_mapping"))
        answer_mapping(out);
    else if (path_has(head, "/_settings"))
        buf_append_str(out, "{\"bench\":{\"settings\":{\"index.uuid\":\"fake\","
                            "\"index.number_of_replicas\":\"0\"}}}");
    else if (path_has(head, "/_refresh"))
        buf_append_str(out, "{\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}}");
    else
        buf_append_str(out, "{\"version\":{\"number\":\"9.5.3\"}}");
}

static void respond(const struct fake *fake, struct slice head, struct slice body, struct buf *out)
{
    struct buf json = {0};
    answer(fake, head, body, &json);
    buf_printf(out,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               json.len);
    buf_append_slice(out, buf_slice(&json));
    buf_free(&json);
}

static bool take(void *ctx, struct serve_connection *c)
{
    for (;;) {
        const char *end = c->in.len ? memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4) : NULL;
        if (!end)
            return true;
        const size_t head = (size_t)(end - c->in.ptr) + 4;
        const size_t body = (size_t)number_behind(slice_of(c->in.ptr, head), "Content-Length: ", 0);
        if (c->in.len - head < body)
            return true;
        respond(ctx, slice_of(c->in.ptr, head), slice_of(c->in.ptr + head, body), &c->out);
        c->in.len -= head + body;
        memmove(c->in.ptr, c->in.ptr + head + body, c->in.len);
    }
}

int main(int argc, char **argv)
{
    static struct fake fake;
    if (argc < 4) {
        fprintf(stderr, "usage: %s PORT RECORDS VERSION [window]\n", argv[0]);
        return 2;
    }
    fake.records = strtoull(argv[2], NULL, 10);
    fake.version = strtoll(argv[3], NULL, 10);
    fake.window = argc > 4;
    render_hits(&fake);
    serve((uint16_t)strtoul(argv[1], NULL, 10), take, &fake);
}
