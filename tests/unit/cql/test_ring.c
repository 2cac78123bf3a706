#include "cql/ring.h"
#include "cql/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct vector_node {
    const char *datacenter, *rack;
    int64_t tokens[8];
    unsigned token_count;
};

struct vector_option {
    const char *keyspace, *name, *value;
};

struct vector_key {
    const char *keyspace;
    int64_t token;
    const char *key;   /* in hex */
    unsigned replicas; /* a bit each */
};

#include "cql/ring_vectors.h"

static struct cql_ring *build(const struct vector_node *nodes, size_t node_count,
                              const struct vector_option *options, size_t option_count)
{
    struct cql_ring *ring = cql_ring_new();
    for (size_t i = 0; i < node_count; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.0.0.%zu", i + 1);
        const struct cql_ring_node node = {.id = slice_of("0123456789abcdef", 16),
                                           .address = slice_str(address),
                                           .port = (uint16_t)i,
                                           .datacenter = slice_str(nodes[i].datacenter),
                                           .rack = slice_str(nodes[i].rack)};
        cql_ring_add_node(ring, &node);
        for (unsigned t = 0; t < nodes[i].token_count; t++)
            cql_ring_add_token(ring, nodes[i].tokens[t]);
    }
    for (size_t i = 0; i < option_count; i++) {
        if (i == 0 || strcmp(options[i].keyspace, options[i - 1].keyspace) != 0)
            cql_ring_add_keyspace(ring, slice_str(options[i].keyspace));
        cql_ring_add_option(ring, slice_str(options[i].name), slice_str(options[i].value));
    }
    cql_ring_close(ring);
    return ring;
}

static unsigned replicas(const struct cql_ring *ring, const char *keyspace, int64_t token)
{
    uint32_t nodes[CQL_RING_REPLICAS_MAX];
    unsigned set = 0;
    const size_t count = cql_ring_replicas(ring, slice_str(keyspace), token, nodes);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(set & 1u << nodes[i], 0);
        set |= 1u << nodes[i];
    }
    return set;
}

static int64_t token_of(const char *hex)
{
    char bytes[64];
    size_t len = 0;
    unsigned byte;
    for (; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
        bytes[len] = (char)byte;
    return cql_token(slice_of(bytes, len));
}

static void check(const struct vector_node *nodes, size_t node_count,
                  const struct vector_option *options, size_t option_count,
                  const struct vector_key *keys, size_t key_count)
{
    struct cql_ring *ring = build(nodes, node_count, options, option_count);
    assert_int_equal(cql_ring_node_count(ring), node_count);
    assert_true(slice_is(cql_ring_node(ring, 1)->address, "10.0.0.2"));
    assert_true(key_count > 40);
    for (size_t i = 0; i < key_count; i++) {
        assert_true(token_of(keys[i].key) == keys[i].token);
        const unsigned found = replicas(ring, keys[i].keyspace, keys[i].token);
        if (found != keys[i].replicas)
            fail_msg("key %s in %s: 0x%x, not 0x%x", keys[i].key, keys[i].keyspace, found,
                     keys[i].replicas);
    }
    cql_ring_free(ring);
}

#define CHECK(name)                                                                         \
    check(name##_nodes, ARRAY_LEN(name##_nodes), name##_options, ARRAY_LEN(name##_options), \
          name##_keys, ARRAY_LEN(name##_keys))

static void test_as_the_python_driver(void **state)
{
    (void)state;
    CHECK(small);
    CHECK(wide);
    CHECK(racks);
}

static void test_borders(void **state)
{
    (void)state;
    static const struct vector_node nodes[] = {{"a", "x", {-100}, 1}, {"a", "x", {100}, 1}};
    static const struct vector_option options[] = {{"k", "class", "SimpleStrategy"},
                                                   {"k", "replication_factor", "1"},
                                                   {"l", "class", "LocalStrategy"},
                                                   {"w", "class", "NetworkTopologyStrategy"},
                                                   {"w", "a", "x"},
                                                   {"z", "class", "SimpleStrategy"},
                                                   {"z", "replication_factor", "99999999999"}};
    struct cql_ring *ring = build(nodes, 2, options, ARRAY_LEN(options));
    assert_int_equal(replicas(ring, "k", INT64_MIN), 1);
    assert_int_equal(replicas(ring, "k", -100), 1);
    assert_int_equal(replicas(ring, "k", -99), 2);
    assert_int_equal(replicas(ring, "k", 100), 2);
    assert_int_equal(replicas(ring, "k", 101), 1);
    assert_int_equal(replicas(ring, "k", INT64_MAX), 1);
    assert_int_equal(replicas(ring, "l", 0), 0);
    assert_int_equal(replicas(ring, "w", 0), 0);
    assert_int_equal(replicas(ring, "z", 0), 0);
    assert_int_equal(replicas(ring, "unknown", 0), 0);
    cql_ring_free(ring);

    ring = build(NULL, 0, options, ARRAY_LEN(options));
    assert_int_equal(replicas(ring, "k", 0), 0);
    cql_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_python_driver),
        cmocka_unit_test(test_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
