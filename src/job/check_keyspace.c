#include "job/check_keyspace.h"

#include "cql/wire.h"
#include "job/check_context.h"
#include "source/await.h"

/* --- deciding */

static const char *consistency_name(enum cql_consistency consistency)
{
    static const struct {
        enum cql_consistency consistency;
        const char *name;
    } names[] = {
        {CQL_ONE, "ONE"},
        {CQL_TWO, "TWO"},
        {CQL_THREE, "THREE"},
        {CQL_QUORUM, "QUORUM"},
        {CQL_ALL, "ALL"},
        {CQL_LOCAL_QUORUM, "LOCAL_QUORUM"},
        {CQL_LOCAL_ONE, "LOCAL_ONE"},
        {CQL_EACH_QUORUM, "EACH_QUORUM"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].consistency == consistency)
            return names[i].name;
    return "?";
}

static bool is_local(enum cql_consistency consistency)
{
    return consistency == CQL_LOCAL_QUORUM || consistency == CQL_LOCAL_ONE ||
           consistency == CQL_EACH_QUORUM;
}

/* Replicas that must answer. */
static int64_t needed(enum cql_consistency consistency, int64_t copies)
{
    switch (consistency) {
    case CQL_ONE:
    case CQL_LOCAL_ONE:
        return 1;
    case CQL_TWO:
        return 2;
    case CQL_THREE:
        return 3;
    case CQL_ALL:
        return copies;
    default:
        return copies / 2 + 1;
    }
}

/* Copies among which the answers are counted. */
static int64_t counted_copies(const struct check_replication *r)
{
    int64_t sum = 0;
    const bool by_datacenter = slice_is(r->strategy, "NetworkTopologyStrategy");
    for (size_t i = 0; i < r->copies_count; i++)
        if (!by_datacenter || !is_local(r->consistency) ||
            slice_equal(r->copies[i].datacenter, r->local_datacenter))
            sum += r->copies[i].count;
    return sum;
}

static void judge_copies(struct check_findings *f, const char *where, const char *option,
                         const struct check_replication *r, int64_t copies)
{
    const char *name = consistency_name(r->consistency);
    const int64_t need = needed(r->consistency, copies);
    if (need > copies)
        check_add(f, CHECK_ERROR, option, "take LOCAL_QUORUM",
                  "%s needs %lld replicas, but there are %lld of each row", name, (long long)need,
                  (long long)copies);
    else if (2 * need <= copies)
        check_add(f, CHECK_WARNING, option, "take LOCAL_QUORUM",
                  "%s asks %lld of %lld replicas: a read may miss what a write has just changed",
                  name, (long long)need, (long long)copies);
    else if (copies == 1)
        check_add(f, CHECK_INFO, where,
                  "take replication factor 3 where losing a node must not matter",
                  "there is one copy of each row: a node that is down stops the sync, one that is "
                  "lost takes data along");
    else if (need == copies)
        check_add(f, r->consistency == CQL_ALL ? CHECK_WARNING : CHECK_INFO,
                  r->consistency == CQL_ALL ? option : where,
                  r->consistency == CQL_ALL ? "take LOCAL_QUORUM" : "take replication factor 3",
                  "%s needs all %lld replicas: a node that is down stops the sync", name,
                  (long long)copies);
}

void check_judge_replication(struct check_findings *f, const char *where, const char *option,
                             const char *local_option, const struct check_replication *r)
{
    const bool by_datacenter = slice_is(r->strategy, "NetworkTopologyStrategy");
    if (!r->durable)
        check_add(f, CHECK_WARNING, where, "set durable_writes = true (ALTER KEYSPACE)",
                  "durable_writes is false: acknowledged writes are lost when nodes fail");
    if (!by_datacenter && !slice_is(r->strategy, "SimpleStrategy"))
        return;
    if (!by_datacenter && r->datacenter_count > 1)
        check_add(f, CHECK_WARNING, where,
                  "replicate it by NetworkTopologyStrategy (ALTER KEYSPACE)",
                  "SimpleStrategy spreads copies over %zu data centers without regard to them: "
                  "%s waits for distant nodes, or finds too few near ones",
                  r->datacenter_count, consistency_name(r->consistency));
    if (is_local(r->consistency) && r->datacenter_count > 1 && !r->local_given)
        check_add(f, CHECK_WARNING, local_option,
                  check_text(f, "set it, for example to %.*s", SLICE_ARG(r->local_datacenter)),
                  "is not set, and there are %zu data centers: %s means that of whichever node "
                  "answers first",
                  r->datacenter_count, consistency_name(r->consistency));
    const int64_t copies = counted_copies(r);
    if (copies <= 0) {
        check_add(
            f, CHECK_ERROR, where,
            "replicate the keyspace there, or set CassandraConfig.localDatacenter",
            "data center %.*s, which the daemon talks to, has no copy of it: %s can't be reached",
            SLICE_ARG(r->local_datacenter), consistency_name(r->consistency));
        return;
    }
    judge_copies(f, where, option, r, copies);
    if (by_datacenter && r->copies_count > 1 && is_local(r->consistency))
        check_add(
            f, CHECK_INFO, where,
            "let them write with EACH_QUORUM, or run the daemon where they write",
            "%zu data centers have copies: what applications write elsewhere with LOCAL_QUORUM "
            "may show in %.*s later than sync.settle",
            r->copies_count, SLICE_ARG(r->local_datacenter));
}

/* --- looking */

static struct slice without_package(struct slice class)
{
    for (size_t i = class.len; i > 0; i--)
        if (class.ptr[i - 1] == '.')
            return slice_of(class.ptr + i, class.len - i);
    return class;
}

static int64_t leading_number(struct slice text)
{
    int64_t value = 0; /* "3/1": of three copies one is transient */
    for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9' && i < 9; i++)
        value = value * 10 + (text.ptr[i] - '0');
    return value;
}

bool check_read_replication(struct check_findings *findings, struct slice cell,
                            struct check_replication *out)
{
    struct cql_reader reader = cql_reader_of(cell);
    const int32_t count = cql_read_i32(&reader);
    if (reader.bad || count < 0 || (size_t)count > cell.len / 8)
        return false;
    struct check_copies *copies =
        arena_alloc(&findings->arena, ((size_t)count + 1) * sizeof *copies);
    for (int32_t i = 0; i < count; i++) {
        const struct slice key = cql_read_bytes(&reader), value = cql_read_bytes(&reader);
        if (slice_is(key, "class"))
            out->strategy = without_package(value);
        else
            copies[out->copies_count++] = (struct check_copies){key, leading_number(value)};
    }
    out->copies = copies;
    return !reader.bad;
}

struct keyspace {
    struct check *check;
    struct check_replication replication;
    bool found, readable;
    struct slice *datacenters;
};

static bool see_keyspace(void *ctx, const struct slice *cells, uint32_t count)
{
    struct keyspace *k = ctx;
    k->found = true;
    if (count < 2)
        return false;
    k->readable = check_read_replication(k->check->findings, arena_copy(k->check->arena, cells[0]),
                                         &k->replication);
    k->replication.durable = cells[1].len == 0 || cells[1].ptr[0] != 0;
    return false;
}

enum { DATACENTERS_MAX = 64 };

static bool see_datacenter(void *ctx, const struct slice *cells, uint32_t count)
{
    struct keyspace *k = ctx;
    struct check_replication *r = &k->replication;
    for (size_t i = 0; count && i < r->datacenter_count; i++)
        if (slice_equal(k->datacenters[i], cells[0]))
            return true;
    if (count && r->datacenter_count < DATACENTERS_MAX)
        k->datacenters[r->datacenter_count++] = arena_copy(k->check->arena, cells[0]);
    return true;
}

static bool look(struct keyspace *k, struct err *err)
{
    struct check *check = k->check;
    const struct cql_value name = cql_value_of(slice_str(check->tables->keyspace));
    const struct cql_statement keyspace = {
        .text = SLICE_LIT("SELECT replication, durable_writes FROM system_schema.keyspaces "
                          "WHERE keyspace_name = ?"),
        .values = &name,
        .value_count = 1,
    };
    const struct cql_statement local = {.text = SLICE_LIT("SELECT data_center FROM system.local")};
    const struct cql_statement peers = {.text = SLICE_LIT("SELECT data_center FROM system.peers")};
    const struct cql_execution one = {.consistency = CQL_LOCAL_ONE, .page_size = 1000};
    k->datacenters = arena_alloc(check->arena, DATACENTERS_MAX * sizeof *k->datacenters);
    if (!await_cql_rows(check->cassandra, &keyspace, &one, see_keyspace, k, err) ||
        !await_cql_rows(check->cassandra, &local, &one, see_datacenter, k, err))
        return false;
    if (k->replication.datacenter_count)
        k->replication.local_datacenter = k->datacenters[0];
    k->replication.datacenters = k->datacenters;
    return await_cql_rows(check->cassandra, &peers, &one, see_datacenter, k, err);
}

void check_keyspace(struct check *check)
{
    struct keyspace k = {
        .check = check,
        .replication = {.consistency = check->tables->consistency,
                        .local_given = check->options->local_datacenter != NULL},
    };
    struct err err = {0};
    const char *where = check_text(check->findings, "cassandra %s", check->tables->keyspace);
    if (!look(&k, &err)) {
        check_failed(check, where, "looking at the keyspace", &err);
        return;
    }
    if (!k.found) {
        check_add(check->findings, CHECK_ERROR, where,
                  "create it (caes-sync init does), or mend CassandraConfig.keyspace",
                  "there is no such keyspace");
        return;
    }
    check->have |= CHECK_KEYSPACE;
    if (k.readable)
        check_judge_replication(
            check->findings, where, check_option(check, "CassandraConfig.consistency"),
            check_option(check, "CassandraConfig.localDatacenter"), &k.replication);
}
