#include "cql/ring.h"

#include "base/mem.h"

#include <stdlib.h>

enum { DATACENTERS_MAX = 32 };

struct place {
    int64_t token;
    uint32_t node;
};

struct factor {
    struct slice datacenter;
    uint32_t copies;
};

struct keyspace {
    struct slice name;
    bool simple, network;
    uint32_t copies; /* simple */
    struct factor factors[DATACENTERS_MAX];
    uint32_t factor_count;
};

struct datacenter {
    struct slice name;
    uint32_t nodes, racks;
};

struct cql_ring {
    struct arena arena;
    struct cql_ring_node *nodes;
    struct place *places;        /* by token */
    struct keyspace **keyspaces; /* by name */
    struct datacenter *datacenters;
    size_t node_count, place_count, keyspace_count, datacenter_count;
    size_t node_room, place_room, keyspace_room;
};

struct cql_ring *cql_ring_new(void)
{
    return mem_zalloc(sizeof(struct cql_ring));
}

void cql_ring_free(struct cql_ring *ring)
{
    if (!ring)
        return;
    arena_free(&ring->arena);
    free(ring->nodes);
    free(ring->places);
    free(ring->keyspaces);
    free(ring->datacenters);
    free(ring);
}

/* --- filling --- */

static void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? *room * 2 : 16;
    void *grown = mem_array(*room, size);
    if (count > 0)
        memcpy(grown, items, count * size);
    free(items);
    return grown;
}

void cql_ring_add_node(struct cql_ring *ring, const struct cql_ring_node *node)
{
    ring->nodes = grow(ring->nodes, ring->node_count, &ring->node_room, sizeof *ring->nodes);
    ring->nodes[ring->node_count++] = (struct cql_ring_node){
        .id = arena_copy(&ring->arena, node->id),
        .address = arena_copy(&ring->arena, node->address),
        .port = node->port,
        .datacenter = arena_copy(&ring->arena, node->datacenter),
        .rack = arena_copy(&ring->arena, node->rack),
    };
}

void cql_ring_add_token(struct cql_ring *ring, int64_t token)
{
    ring->places = grow(ring->places, ring->place_count, &ring->place_room, sizeof *ring->places);
    ring->places[ring->place_count++] = (struct place){token, (uint32_t)ring->node_count - 1};
}

void cql_ring_add_keyspace(struct cql_ring *ring, struct slice name)
{
    ring->keyspaces =
        grow(ring->keyspaces, ring->keyspace_count, &ring->keyspace_room, sizeof *ring->keyspaces);
    struct keyspace *keyspace = arena_zalloc(&ring->arena, sizeof *keyspace);
    keyspace->name = arena_copy(&ring->arena, name);
    ring->keyspaces[ring->keyspace_count++] = keyspace;
}

static bool ends_with(struct slice s, const char *end)
{
    const size_t len = strlen(end);
    return s.len >= len && memcmp(s.ptr + s.len - len, end, len) == 0;
}

/* "3", or "3/1" where one of the three is transient: such a one holds not all. */
static uint32_t parse_copies(struct slice value)
{
    uint32_t copies = 0, transient = 0;
    uint32_t *to = &copies;
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.ptr[i];
        if (c == '/' && to == &copies)
            to = &transient;
        else if (c < '0' || c > '9' || *to > 1000)
            return 0;
        else
            *to = *to * 10 + (uint32_t)(c - '0');
    }
    return copies > transient ? copies - transient : 0;
}

void cql_ring_add_option(struct cql_ring *ring, struct slice name, struct slice value)
{
    struct keyspace *keyspace = ring->keyspaces[ring->keyspace_count - 1];
    if (slice_is(name, "class")) {
        keyspace->simple = ends_with(value, "SimpleStrategy");
        keyspace->network = ends_with(value, "NetworkTopologyStrategy");
    } else if (slice_is(name, "replication_factor")) {
        keyspace->copies = parse_copies(value);
    } else if (keyspace->factor_count < DATACENTERS_MAX) {
        keyspace->factors[keyspace->factor_count++] =
            (struct factor){arena_copy(&ring->arena, name), parse_copies(value)};
    }
}

static int by_token(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->token > y->token) - (x->token < y->token);
}

static int compare(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
    const struct keyspace *const *x = a, *const *y = b;
    return compare((*x)->name, (*y)->name);
}

static struct datacenter *datacenter_of(struct cql_ring *ring, struct slice name)
{
    for (size_t i = 0; i < ring->datacenter_count; i++)
        if (slice_equal(ring->datacenters[i].name, name))
            return &ring->datacenters[i];
    struct datacenter *added = &ring->datacenters[ring->datacenter_count++];
    *added = (struct datacenter){.name = name};
    return added;
}

static void number_node(struct cql_ring *ring, struct cql_ring_node *node)
{
    struct datacenter *datacenter = datacenter_of(ring, node->datacenter);
    node->datacenter_number = (uint32_t)(datacenter - ring->datacenters);
    node->rack_number = datacenter->racks;
    for (const struct cql_ring_node *other = ring->nodes; other < node; other++)
        if (other->datacenter_number == node->datacenter_number &&
            slice_equal(other->rack, node->rack))
            node->rack_number = other->rack_number;
    datacenter->racks += node->rack_number == datacenter->racks;
    datacenter->nodes++;
}

void cql_ring_close(struct cql_ring *ring)
{
    ring->datacenters = mem_array(ring->node_count + 1, sizeof *ring->datacenters);
    for (size_t i = 0; i < ring->node_count; i++)
        number_node(ring, &ring->nodes[i]);
    if (ring->place_count > 0)
        qsort(ring->places, ring->place_count, sizeof *ring->places, by_token);
    if (ring->keyspace_count > 0)
        qsort(ring->keyspaces, ring->keyspace_count, sizeof(struct keyspace *), by_name);
}

/* --- asking --- */

size_t cql_ring_node_count(const struct cql_ring *ring)
{
    return ring->node_count;
}

const struct cql_ring_node *cql_ring_node(const struct cql_ring *ring, size_t number)
{
    return &ring->nodes[number];
}

static const struct keyspace *find_keyspace(const struct cql_ring *ring, struct slice name)
{
    size_t low = 0, high = ring->keyspace_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(ring->keyspaces[middle]->name, name);
        if (order == 0)
            return ring->keyspaces[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A node owns what lies behind the token before its own, up to its own. */
static size_t first_place(const struct cql_ring *ring, int64_t token)
{
    size_t low = 0, high = ring->place_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (ring->places[middle].token < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is still to be placed in one data center. */
struct quota {
    uint32_t left;
    uint32_t repeats; /* how many may share a rack with another */
};

struct walk {
    const struct cql_ring *ring;
    uint32_t *out;
    size_t count;
    uint32_t left; /* of all quotas */
};

static bool has(const struct walk *w, uint32_t node)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->out[i] == node)
            return true;
    return false;
}

static bool has_rack(const struct walk *w, const struct cql_ring_node *node)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct cql_ring_node *other = &w->ring->nodes[w->out[i]];
        if (other->datacenter_number == node->datacenter_number &&
            other->rack_number == node->rack_number)
            return true;
    }
    return false;
}

static void take(struct walk *w, struct quota *quota, uint32_t node)
{
    w->out[w->count++] = node;
    quota->left--;
    w->left--;
}

/* As the server's NetworkTopologyStrategy does: as many racks as possible, and no more of one rack
 * than must be. */
static void offer(struct walk *w, struct quota *quotas, uint32_t number)
{
    const struct cql_ring_node *node = &w->ring->nodes[number];
    struct quota *quota = &quotas[node->datacenter_number];
    if (quota->left == 0 || has(w, number))
        return;
    if (!has_rack(w, node)) {
        take(w, quota, number);
    } else if (quota->repeats > 0) {
        quota->repeats--;
        take(w, quota, number);
    }
}

static bool set_quotas(const struct cql_ring *ring, const struct keyspace *keyspace,
                       struct quota *quotas, uint32_t *left)
{
    for (size_t i = 0; i < ring->datacenter_count; i++) {
        const struct datacenter *datacenter = &ring->datacenters[i];
        quotas[i] = (struct quota){0};
        for (uint32_t f = 0; f < keyspace->factor_count; f++) {
            const struct factor *factor = &keyspace->factors[f];
            if (!slice_equal(factor->datacenter, datacenter->name))
                continue;
            quotas[i].left =
                factor->copies < datacenter->nodes ? factor->copies : datacenter->nodes;
            if (quotas[i].left > datacenter->racks)
                quotas[i].repeats = quotas[i].left - datacenter->racks;
        }
        *left += quotas[i].left;
    }
    return *left > 0 && *left <= CQL_RING_REPLICAS_MAX;
}

size_t cql_ring_replicas(const struct cql_ring *ring, struct slice keyspace_name, int64_t token,
                         uint32_t *out)
{
    const struct keyspace *keyspace = find_keyspace(ring, keyspace_name);
    struct quota quotas[DATACENTERS_MAX];
    struct walk w = {.ring = ring, .out = out};
    if (!keyspace || ring->place_count == 0 || ring->datacenter_count > DATACENTERS_MAX)
        return 0;
    if (keyspace->simple && keyspace->copies <= CQL_RING_REPLICAS_MAX)
        w.left = keyspace->copies;
    else if (!keyspace->network || !set_quotas(ring, keyspace, quotas, &w.left))
        return 0;
    struct quota all = {.left = w.left};
    const size_t first = first_place(ring, token);
    for (size_t i = 0; i < ring->place_count && w.left > 0; i++) {
        const uint32_t node = ring->places[(first + i) % ring->place_count].node;
        if (keyspace->network)
            offer(&w, quotas, node);
        else if (!has(&w, node))
            take(&w, &all, node);
    }
    return w.count;
}
