#include "es/sync.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Real servers: every ELASTICSEARCH_…URL and OPENSEARCH_…URL of the environment. */

static const char long_mapping[] =
    "{\"dynamic\":false,\"properties\":{\"timestamp\":{\"type\":\"long\"}}}";
static const char seconds_mapping[] =
    "{\"dynamic\":false,\"properties\":{\"timestamp\":{\"type\":\"date\",\"format\":\"epoch_"
    "second\"}}}";
static const char meta_mapping[] = "{\"dynamic\":false,\"_timestamp\":{\"enabled\":true}}";

static void open_index(struct sync *s, const char *url, const char *mapping)
{
    char name[64];
    snprintf(name, sizeof name, "caes_unit_es_%d", (int)getpid());
    sync_open(s, url, name, &(struct es_options){.compression = true});
    assert_true(sync_connect(s));
    const struct es_version *v = es_client_version(s->client);
    if (v->meta_timestamp)
        mapping = meta_mapping;
    sync_delete_index(s);
    if (mapping && !sync_create(s, mapping))
        fail_msg("%s", s->err.text);
}

static void close_index(struct sync *s)
{
    sync_delete_index(s);
    sync_close(s);
}

/* Appends a document that holds its version as new servers want it. */
static void add(struct sync *s, struct buf *body, const char *id, int64_t version, bool gte)
{
    char source[128];
    if (es_client_version(s->client)->meta_timestamp)
        snprintf(source, sizeof source, "{\"a\":\"\xc3\xa9\"}");
    else
        snprintf(source, sizeof source, "{\"a\":\"\xc3\xa9\",\"timestamp\":%" PRId64 "}", version);
    assert_true(es_bulk_index(
        s->client, body, &(struct es_action){.id = slice_str(id), .version = version, .gte = gte},
        slice_str(source), &s->err));
}

static void bulk(struct sync *s, struct buf *body, size_t count)
{
    if (!sync_bulk(s, body, count))
        fail_msg("%s", s->err.text);
    assert_int_equal(s->count, count);
}

static void check_statuses(const struct sync *s, const int *statuses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (s->items[i].status != statuses[i])
            fail_msg("item %zu: %d %s", i, s->items[i].status, s->items[i].reason);
    }
}

static void test_versions_decide(void **state)
{
    struct sync s;
    open_index(&s, *state, long_mapping);
    struct buf body = {0};
    add(&s, &body, "a|\"b\\c", 10, false);
    add(&s, &body, "two", 10, false);
    assert_true(es_bulk_delete(s.client, &body,
                               &(struct es_action){.id = SLICE_LIT("none"), .version = 5}, &s.err));
    bulk(&s, &body, 3);
    check_statuses(&s, (const int[]){201, 201, 404}, 3);
    assert_int_equal(s.items[2].code, ERR_NONE);

    add(&s, &body, "a|\"b\\c", 9, false);
    add(&s, &body, "a|\"b\\c", 10, false);
    add(&s, &body, "a|\"b\\c", 10, true);
    assert_true(es_bulk_delete(
        s.client, &body, &(struct es_action){.id = SLICE_LIT("two"), .version = 9, .gte = true},
        &s.err));
    assert_true(es_bulk_delete(s.client, &body,
                               &(struct es_action){.id = SLICE_LIT("two"), .version = 11}, &s.err));
    bulk(&s, &body, 5);
    check_statuses(&s, (const int[]){409, 409, 200, 409, 200}, 5);
    assert_int_equal(s.items[0].code, ERR_CONFLICT);
    assert_non_null(strstr(s.items[0].reason, "version conflict"));

    assert_true(sync_mget(&s, (const char *const[]){"a|\"b\\c", "two", "nope"}, 3));
    assert_string_equal(s.documents[0].id, "a|\"b\\c");
    assert_true(s.documents[0].found);
    assert_int_equal(s.documents[0].version, 10);
    assert_non_null(strstr(s.documents[0].source, "\xc3\xa9"));
    assert_int_equal(s.documents[0].seq_no >= 0, es_client_version(s.client)->sequence_numbers);
    assert_false(s.documents[1].found);
    assert_false(s.documents[2].found);
    close_index(&s);
}

static void test_delete_what_was_seen(void **state)
{
    struct sync s;
    open_index(&s, *state, long_mapping);
    struct buf body = {0};
    add(&s, &body, "k", 10, false);
    bulk(&s, &body, 1);
    assert_true(sync_mget(&s, (const char *const[]){"k"}, 1));
    const struct es_document seen = {.id = SLICE_LIT("k"),
                                     .version = 10,
                                     .seq_no = s.documents[0].seq_no,
                                     .primary_term = s.documents[0].primary_term};
    add(&s, &body, "k", 11, false);
    assert_true(es_bulk_delete_if(s.client, &body, &seen, &s.err));
    bulk(&s, &body, 2);
    check_statuses(&s, (const int[]){200, 409}, 2);
    assert_true(sync_mget(&s, (const char *const[]){"k"}, 1));
    const struct es_document now = {.id = SLICE_LIT("k"),
                                    .version = 11,
                                    .seq_no = s.documents[0].seq_no,
                                    .primary_term = s.documents[0].primary_term};
    assert_true(es_bulk_delete_if(s.client, &body, &now, &s.err));
    bulk(&s, &body, 1);
    check_statuses(&s, (const int[]){200}, 1);
    close_index(&s);
}

/* Reads a whole feed; returns how many documents, each once, with the versions expected. */
static size_t read_feed(struct sync *s, const struct es_feed_options *options, bool *seen,
                        size_t seen_count)
{
    size_t total = 0;
    assert_true(sync_feed_open(s, options));
    for (;;) {
        if (!sync_feed_next(s))
            fail_msg("%s", s->err.text);
        if (s->count == 0)
            break;
        for (size_t i = 0; i < s->count; i++) {
            const size_t number = strtoul(s->documents[i].id, NULL, 10);
            assert_true(number < seen_count && !seen[number]);
            seen[number] = true;
            assert_int_equal(s->documents[i].version, number + 1);
            assert_true(s->documents[i].source[0] == '{');
        }
        total += s->count;
    }
    assert_true(sync_feed_next(s)); /* the end stays the end */
    assert_int_equal(s->count, 0);
    sync_feed_close(s);
    return total;
}

static void fill(struct sync *s, size_t count)
{
    struct buf body = {0};
    for (size_t i = 0; i < count; i++) {
        char id[24];
        snprintf(id, sizeof id, "%zu", i);
        add(s, &body, id, (int64_t)i + 1, false);
    }
    bulk(s, &body, count);
    assert_true(sync_refresh(s));
}

static void check_feeds(void **state, const char *mapping)
{
    enum { COUNT = 3000 };
    struct sync s;
    open_index(&s, *state, mapping);
    fill(&s, COUNT);
    bool *seen = calloc(COUNT, sizeof *seen);
    const struct {
        struct es_feed_options options;
        size_t expected;
    } cases[] = {
        {{.since = 1, .page_size = 500}, 3000},
        {{.all = true, .page_size = 500}, 3000},
        {{.since = 1, .page_size = 2999}, 3000},
        {{.since = 1, .page_size = 3001}, 3000},
        {{.since = 10, .until = 2015, .page_size = 300}, 2006},
        {{.since = 2990}, 11},
        {{.since = 3001}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(seen, 0, COUNT);
        const size_t total = read_feed(&s, &cases[i].options, seen, COUNT);
        if (total != cases[i].expected)
            fail_msg("feed %zu: %zu documents", i, total);
    }
    memset(seen, 0, COUNT);
    size_t total = 0;
    for (uint32_t slice = 0; slice < 3; slice++)
        total += read_feed(
            &s,
            &(struct es_feed_options){.all = true, .page_size = 100, .slice = slice, .slices = 3},
            seen, COUNT);
    assert_int_equal(total, COUNT);
    assert_true(sync_max(&s));
    assert_true(s.found);
    assert_int_equal(s.value, COUNT);
    free(seen);
    close_index(&s);
}

static void test_feeds(void **state)
{
    check_feeds(state, long_mapping);
}

static void test_feeds_of_dates(void **state)
{
    check_feeds(state, seconds_mapping);
}

/* What is written while a feed is read does not show in it. */
static void test_feed_is_one_moment(void **state)
{
    struct sync s;
    bool seen[1200] = {false};
    open_index(&s, *state, long_mapping);
    fill(&s, 1000);
    const struct es_feed_options options = {.since = 1, .page_size = 100};
    assert_true(sync_feed_open(&s, &options));
    assert_true(sync_feed_next(&s));
    size_t total = s.count;
    struct buf body = {0};
    add(&s, &body, "late", 5000, false);
    for (int i = 0; i < 1000; i += 2) {
        char id[24];
        snprintf(id, sizeof id, "%d", i);
        assert_true(es_bulk_delete(
            s.client, &body, &(struct es_action){.id = slice_str(id), .version = 6000}, &s.err));
    }
    bulk(&s, &body, 501);
    assert_true(sync_refresh(&s));
    do {
        assert_true(sync_feed_next(&s));
        total += s.count;
    } while (s.count > 0);
    assert_int_equal(total, 1000);
    sync_feed_close(&s);
    assert_int_equal(
        read_feed(&s, &(struct es_feed_options){.since = 1, .until = 4000}, seen, 1200), 500);
    close_index(&s);
}

static void test_empty_and_missing(void **state)
{
    struct sync s;
    open_index(&s, *state, "{}");
    assert_true(sync_max(&s));
    assert_false(s.found);
    const struct es_feed_options options = {.since = 1};
    assert_true(sync_feed_open(&s, &options));
    assert_true(sync_feed_next(&s));
    assert_int_equal(s.count, 0);
    sync_feed_close(&s);
    if (!es_client_version(s.client)->meta_timestamp) { /* a document without the field */
        struct buf body = {0};
        assert_true(es_bulk_index(s.client, &body,
                                  &(struct es_action){.id = SLICE_LIT("x"), .version = 7},
                                  SLICE_LIT("{\"b\":1}"), &s.err));
        bulk(&s, &body, 1);
        assert_true(sync_refresh(&s));
        assert_true(sync_max(&s));
        assert_false(s.found);
    }
    sync_delete_index(&s);

    assert_false(sync_refresh(&s));
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    assert_false(sync_max(&s));
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    assert_false(sync_mapping(&s));
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    assert_false(sync_mget(&s, (const char *const[]){"a", "b"}, 2));
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    assert_true(sync_feed_open(&s, &options));
    assert_false(sync_feed_next(&s));
    assert_int_equal(s.err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(s.err.text, *state));
    sync_feed_close(&s);
    sync_close(&s);
}

static void test_mapping(void **state)
{
    struct sync s;
    open_index(&s, *state, long_mapping);
    assert_true(sync_mapping(&s));
    const char *text = buf_cstr(&s.json);
    assert_non_null(strstr(text, "\"dynamic\":\"false\""));
    assert_non_null(strstr(text, es_client_version(s.client)->meta_timestamp
                                     ? "\"_timestamp\":{\"enabled\":true"
                                     : "\"timestamp\":{\"type\":\"long\"}"));
    assert_false(sync_create(&s, long_mapping));
    assert_int_equal(s.err.code, ERR_REQUEST);
    assert_non_null(strstr(s.err.text, "exists"));
    close_index(&s);
}

static void test_bad_document_is_one_item(void **state)
{
    struct sync s;
    open_index(&s, *state, long_mapping);
    struct buf body = {0};
    add(&s, &body, "one", 1, false);
    assert_true(es_bulk_index(s.client, &body,
                              &(struct es_action){.id = SLICE_LIT("bad"), .version = 2},
                              SLICE_LIT("{\"timestamp\":{\"no\":[\"number\"}"), &s.err));
    add(&s, &body, "three", 3, false);
    bulk(&s, &body, 3);
    check_statuses(&s, (const int[]){201, 400, 201}, 3);
    assert_int_equal(s.items[1].code, ERR_REQUEST);
    close_index(&s);
}

/* The versions of the seed's tests, and ones that look like years. */
/* All servers take these, and give them back as they came. */
static const char *const odd_fields[] = {"\"b\":1 /* x */", "\"b\":\"\xed\xa0\xbd\"",
                                         "\"b\":\"\xc0\x80\"", "\"b\":/*\"*/1"};

static void test_documents_that_are_no_json(void **state)
{
    enum { COUNT = 100, EVERY = 25 };
    struct sync s;
    open_index(&s, *state, long_mapping);
    struct buf body = {0};
    for (int i = 0; i < COUNT; i++) {
        char id[16], source[128];
        snprintf(id, sizeof id, "%d", i);
        snprintf(source, sizeof source, "{%s,\"timestamp\":%d}",
                 i % EVERY == 7 ? odd_fields[i / EVERY] : "\"b\":1", 1000 + i);
        assert_true(es_bulk_index(s.client, &body,
                                  &(struct es_action){.id = slice_str(id), .version = 1000 + i},
                                  slice_str(source), &s.err));
    }
    bulk(&s, &body, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(s.items[i].status, 201);
    assert_true(sync_refresh(&s));

    const char *const ids[] = {"6", "7", "8", "no", "57", "82"};
    assert_true(sync_mget(&s, ids, 6));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(s.documents[i].found, i != 3);
        assert_int_equal(s.documents[i].source[0] == '{', i == 0 || i == 2);
    }
    const struct es_feed_options pages[] = {
        {.since = 1000}, {.since = 1000, .page_size = 30}, {.all = true, .page_size = 30}};
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        bool seen[COUNT] = {false};
        assert_true(sync_feed_open(&s, &pages[p]));
        do {
            if (!sync_feed_next(&s))
                fail_msg("%s", s.err.text);
            for (size_t i = 0; i < s.count; i++) {
                const int number = atoi(s.documents[i].id);
                seen[number] = true;
                assert_int_equal(s.documents[i].version, 1000 + number);
                assert_int_equal(s.documents[i].source[0] == '{', number % EVERY != 7);
            }
        } while (s.count > 0);
        sync_feed_close(&s);
        for (int i = 0; i < COUNT; i++)
            assert_true(seen[i]);
    }
    close_index(&s);
}

static void test_small_versions(void **state)
{
    struct sync s;
    open_index(&s, *state, long_mapping);
    struct buf body = {0};
    static const int64_t versions[] = {9, 10, 11, 1999, 2015, 99999, 1427254212, 1427254212000};
    for (size_t i = 0; i < 8; i++) {
        char id[24];
        snprintf(id, sizeof id, "%" PRId64, versions[i]);
        add(&s, &body, id, versions[i], false);
    }
    bulk(&s, &body, 8);
    check_statuses(&s, (const int[]){201, 201, 201, 201, 201, 201, 201, 201}, 8);
    assert_true(sync_refresh(&s));
    for (size_t i = 0; i < 8; i++) {
        assert_true(sync_feed_open(&s, &(struct es_feed_options){.since = versions[i]}));
        assert_true(sync_feed_next(&s));
        assert_int_equal(s.count, 8 - i);
        sync_feed_close(&s);
    }
    assert_true(sync_max(&s));
    assert_int_equal(s.value, 1427254212000);
    close_index(&s);
}

static void test_large_bulk(void **state)
{
    struct sync s;
    open_index(&s, *state, long_mapping);
    struct buf body = {0}, source = {0};
    buf_append_str(&source, "{\"a\":\"");
    for (unsigned i = 0; i < 1 << 20; i++)
        buf_append_char(&source, (char)('a' + (i * 7919 ^ i >> 5) % 26));
    buf_append_str(&source, "\",\"timestamp\":1}");
    for (int i = 0; i < 8; i++)
        assert_true(es_bulk_index(
            s.client, &body, &(struct es_action){.id = slice_of(&"abcdefgh"[i], 1), .version = 1},
            buf_slice(&source), &s.err));
    bulk(&s, &body, 8);
    assert_true(sync_refresh(&s));
    assert_true(sync_feed_open(&s, &(struct es_feed_options){.all = true, .page_size = 3}));
    size_t total = 0;
    do {
        assert_true(sync_feed_next(&s));
        total += s.count;
    } while (s.count > 0);
    assert_int_equal(total, 8);
    sync_feed_close(&s);
    buf_free(&source);
    close_index(&s);
}

extern char **environ;

/* The address in an entry such as ELASTICSEARCH_2_4_6_URL=http://…, or NULL. */
static char *url_of(char *entry)
{
    char *value = strchr(entry, '=');
    const bool ours =
        strncmp(entry, "ELASTICSEARCH_", 14) == 0 || strncmp(entry, "OPENSEARCH_", 11) == 0;
    return ours && value && value[1] != '\0' && strncmp(value - 4, "_URL", 4) == 0 ? value + 1
                                                                                   : NULL;
}

/* Servers are listed by version and, the newest, once more without. */
static bool listed_before(char **entry, const char *url)
{
    for (char **other = environ; other < entry; other++) {
        const char *one = url_of(*other);
        if (one && strcmp(one, url) == 0)
            return true;
    }
    return false;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    int failed = 0, servers = 0;
    for (char **entry = environ; *entry; entry++) {
        char *url = url_of(*entry);
        if (!url || listed_before(entry, url))
            continue;
        servers++;
        printf("-- %s\n", *entry);
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(test_versions_decide, url),
            cmocka_unit_test_prestate(test_delete_what_was_seen, url),
            cmocka_unit_test_prestate(test_feeds, url),
            cmocka_unit_test_prestate(test_feeds_of_dates, url),
            cmocka_unit_test_prestate(test_feed_is_one_moment, url),
            cmocka_unit_test_prestate(test_empty_and_missing, url),
            cmocka_unit_test_prestate(test_mapping, url),
            cmocka_unit_test_prestate(test_bad_document_is_one_item, url),
            cmocka_unit_test_prestate(test_documents_that_are_no_json, url),
            cmocka_unit_test_prestate(test_small_versions, url),
            cmocka_unit_test_prestate(test_large_bulk, url),
        };
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    if (servers == 0)
        printf("skipped: no ELASTICSEARCH_URL\n");
    return failed;
}
