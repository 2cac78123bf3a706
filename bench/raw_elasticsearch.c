/* What Elasticsearch gives and takes when the client does next to nothing.
 *
 *   bench_raw_elasticsearch HOST PORT INDEX pit
 *   bench_raw_elasticsearch HOST PORT INDEX bulk FIRST COUNT VERSION [RATE [SIZE]]
 *
 * bulk: bodies of SIZE (5000) documents under external versions, rendered before the clock starts,
 * 4 in flight; with a RATE (records a second) they are rendered as they go, VERSION (in
 * seconds): see RECORD_VERSIONS; 0: now. pit: the pages of a point in time in two slices, read and
 * dropped. Prints JSON. */
#include "support/drive.h"
#include "support/record.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE = 5000, IN_FLIGHT = 4, SLICES = 2, PAGE = 5000 };

struct raw {
    const char *host, *index;
    bool pit, paced;
    uint64_t first, count, done, records;
    uint64_t size;
    int64_t version;
    struct buf *bodies;
    size_t body_count, next_body;
    struct buf id; /* of the point in time */
    struct buf after[SLICES];
    bool opened, ended[SLICES];
};

static void append_request(const struct raw *raw, const char *method, const char *path,
                           struct slice body, struct buf *out)
{
    buf_printf(out,
               "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-ndjson\r\n"
               "Content-Length: %zu\r\n\r\n",
               method, path, raw->host, body.len);
    buf_append_slice(out, body);
}

/* --- bulk */

static void render_bulk(struct raw *raw, struct buf *out)
{
    struct buf body = {0}, path = {0};
    for (uint64_t i = 0; i < raw->size && raw->done < raw->count; i++) {
        const uint64_t number = raw->first + raw->done++;
        const struct record record = record_make(number);
        const int64_t version =
            raw->version ? raw->version - (int64_t)(number % RECORD_VERSIONS) : (int64_t)time(NULL);
        buf_printf(&body,
                   "{\"index\":{\"_id\":\"%s\",\"version\":%lld,\"version_type\":\"external\"}}\n",
                   record.key_text, (long long)version);
        record_document(&record, version, &body);
        buf_append_char(&body, '\n');
    }
    buf_printf(&path, "/%s/_bulk?filter_path=items.*.status,items.*.error", raw->index);
    append_request(raw, "POST", buf_cstr(&path), buf_slice(&body), out);
    buf_free(&body);
    buf_free(&path);
}

static void render_all(struct raw *raw)
{
    raw->bodies = mem_array(raw->count / raw->size + 1, sizeof *raw->bodies);
    while (raw->done < raw->count) {
        raw->bodies[raw->body_count] = (struct buf){0};
        render_bulk(raw, &raw->bodies[raw->body_count++]);
    }
}

static bool next_bulk(struct raw *raw, struct buf *out)
{
    if (raw->paced) {
        if (raw->done >= raw->count)
            return false;
        render_bulk(raw, out);
        return true;
    }
    if (raw->next_body == raw->body_count)
        return false;
    buf_append_slice(out, buf_slice(&raw->bodies[raw->next_body++]));
    return true;
}

static void take_bulk(struct raw *raw, struct slice body)
{
    const char *at = body.ptr, *end = body.ptr + body.len;
    static const char status[] = "\"status\":";
    if (memmem(body.ptr, body.len, "\"error\"", 7))
        drive_fail("bulk", body);
    while ((at = memmem(at, (size_t)(end - at), status, strlen(status)))) {
        at += strlen(status);
        raw->records += *at == '2';
    }
}

/* --- pit */

static bool greet(void *ctx, unsigned step, struct buf *out)
{
    struct raw *raw = ctx;
    struct buf path = {0};
    if (!raw->pit || step > 0 || raw->opened)
        return false;
    buf_printf(&path, "/%s/_pit?keep_alive=1m", raw->index);
    append_request(raw, "POST", buf_cstr(&path), slice_of("", 0), out);
    buf_free(&path);
    return true;
}

static bool next_page(struct raw *raw, unsigned slice, struct buf *out)
{
    struct buf body = {0};
    if (raw->ended[slice])
        return false;
    buf_printf(&body,
               "{\"size\":%d,\"version\":true,\"seq_no_primary_term\":true,"
               "\"track_total_hits\":false,\"pit\":{\"id\":\"%.*s\",\"keep_alive\":\"1m\"},"
               "\"slice\":{\"id\":%u,\"max\":%d},\"sort\":[\"_shard_doc\"]",
               PAGE, SLICE_ARG(buf_slice(&raw->id)), slice, SLICES);
    if (raw->after[slice].len)
        buf_printf(&body, ",\"search_after\":[%.*s]", SLICE_ARG(buf_slice(&raw->after[slice])));
    buf_append_char(&body, '}');
    append_request(raw, "POST", "/_search", buf_slice(&body), out);
    buf_free(&body);
    return true;
}

static void take_page(struct raw *raw, unsigned slice, struct slice body)
{
    static const char hit[] = "\"_seq_no\":", sort[] = "\"sort\":[";
    const char *at = body.ptr, *end = body.ptr + body.len, *last = NULL;
    uint64_t count = 0;
    while ((at = memmem(at, (size_t)(end - at), hit, strlen(hit)))) {
        last = at++;
        count++;
    }
    raw->ended[slice] = count < PAGE;
    raw->records += count;
    last = last ? memmem(last, (size_t)(end - last), sort, strlen(sort)) : NULL;
    if (!last)
        return;
    last += strlen(sort);
    buf_clear(&raw->after[slice]);
    buf_append(&raw->after[slice], last, strspn(last, "0123456789"));
}

static void take_id(struct raw *raw, struct slice body)
{
    static const char id[] = "\"id\":\"";
    const char *at = memmem(body.ptr, body.len, id, strlen(id));
    if (!at)
        drive_fail("pit", body);
    at += strlen(id);
    buf_append(&raw->id, at, strcspn(at, "\""));
    raw->opened = true;
}

/* --- */

static bool next(void *ctx, unsigned connection, struct buf *out)
{
    struct raw *raw = ctx;
    return raw->pit ? next_page(raw, connection, out) : next_bulk(raw, out);
}

/* The length of a chunked body that is complete (else 0); appends what is in it to out. */
static size_t read_chunks(struct slice in, struct buf *out)
{
    for (size_t at = 0;;) {
        const char *line = memmem(in.ptr + at, in.len - at, "\r\n", 2);
        if (!line)
            return 0;
        const size_t len = strtoull(in.ptr + at, NULL, 16), begin = (size_t)(line - in.ptr) + 2;
        if (in.len - begin < len + 2)
            return 0;
        buf_append(out, in.ptr + begin, len);
        at = begin + len + 2;
        if (len == 0)
            return at;
    }
}

/* What is behind the head; false while it is not complete. len: of its bytes in the stream. */
static bool read_body(struct slice in, size_t head, struct slice *content, size_t *len)
{
    static struct buf chunks;
    static const char length[] = "ontent-length: ";
    const char *number = memmem(in.ptr, head, length, strlen(length));
    if (number) {
        *len = strtoull(number + strlen(length), NULL, 10);
        *content = slice_of(in.ptr + head, *len);
        return in.len - head >= *len;
    }
    buf_clear(&chunks);
    *len = read_chunks(slice_of(in.ptr + head, in.len - head), &chunks);
    *content = buf_slice(&chunks);
    return *len > 0;
}

static size_t take(void *ctx, unsigned connection, struct slice in)
{
    struct raw *raw = ctx;
    struct slice content;
    size_t body;
    const char *end = memmem(in.ptr, in.len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    const size_t head = (size_t)(end - in.ptr) + 4;
    if (!read_body(in, head, &content, &body))
        return 0;
    if (memcmp(in.ptr, "HTTP/1.1 200", 12) != 0)
        drive_fail("elasticsearch", in);
    if (!raw->pit)
        take_bulk(raw, content);
    else if (!raw->opened)
        take_id(raw, content);
    else
        take_page(raw, connection, content);
    return head + body;
}

int main(int argc, char **argv)
{
    static struct raw raw;
    if (argc < 5 || (argc < 8 && argv[4][0] != 'p')) {
        fprintf(stderr, "usage: %s HOST PORT INDEX pit | bulk FIRST COUNT VERSION [RATE [SIZE]]\n",
                argv[0]);
        return 2;
    }
    raw.host = argv[1];
    raw.index = argv[3];
    raw.pit = argv[4][0] == 'p';
    const double rate = argc > 8 ? strtod(argv[8], NULL) : 0;
    raw.size = argc > 9 ? strtoull(argv[9], NULL, 10) : SIZE;
    if (!raw.pit) {
        raw.first = strtoull(argv[5], NULL, 10);
        raw.count = strtoull(argv[6], NULL, 10);
        raw.version = strtoll(argv[7], NULL, 10);
        raw.paced = rate > 0;
        if (!raw.paced)
            render_all(&raw);
    }
    const struct drive_options options = {.host = argv[1],
                                          .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                          .connections = raw.pit ? SLICES : IN_FLIGHT,
                                          .window = 1,
                                          .rate = rate / (double)raw.size};
    const struct drive_calls calls = {next, take, greet, &raw};
    drive(&options, &calls, &raw.records);
}
