#include "job/check_clock.h"

#include "base/clock.h"
#include "job/check_context.h"
#include "source/await.h"

#include <stdlib.h>

enum { ROUNDS = 8, NODES_MAX = 32, SECOND_US = 1000000 };

void check_judge_clock(struct check_findings *f, const char *where, const char *option,
                       const struct check_clock_reading *r, int64_t settle_us)
{
    /* The difference lies between these. */
    const int64_t least = r->said_us - r->answered_us;
    const int64_t most = r->said_us + r->resolution_us - r->asked_us;
    const int64_t apart = least > 0 ? least : most < 0 ? -most : 0;
    const char *side = least > 0 ? "ahead of" : "behind";
    if (apart > settle_us)
        check_add(
            f, CHECK_ERROR, where, "let all machines keep time by NTP",
            "its clock is %.1f s %s this machine's, more than sync.settle (%.1f s): newer writes "
            "may be taken for older ones",
            (double)apart / SECOND_US, side, (double)settle_us / SECOND_US);
    else if (apart > settle_us / 2)
        check_add(f, CHECK_WARNING, option, "let all machines keep time by NTP, or raise it",
                  "is %.1f s, but the clock of %s is %.1f s %s this machine's",
                  (double)settle_us / SECOND_US, where, (double)apart / SECOND_US, side);
}

/* One node's best reading: the one with the shortest way. */
struct node {
    struct slice name;
    struct check_clock_reading reading;
};

struct nodes {
    struct check *check;
    struct node *list;
    size_t count;
    int64_t asked_us;
    int64_t resolution_us;
};

static void take_reading(struct nodes *nodes, struct slice name, int64_t said_ms)
{
    const struct check_clock_reading reading = {nodes->asked_us, clock_wall_us(), said_ms * 1000,
                                                nodes->resolution_us};
    struct node *node = NULL;
    for (size_t i = 0; i < nodes->count && !node; i++)
        if (slice_equal(nodes->list[i].name, name))
            node = &nodes->list[i];
    if (!node && nodes->count == NODES_MAX)
        return;
    if (!node) {
        node = &nodes->list[nodes->count++];
        *node = (struct node){arena_copy(nodes->check->arena, name), reading};
    }
    if (reading.answered_us - reading.asked_us < node->reading.answered_us - node->reading.asked_us)
        node->reading = reading;
}

static void judge(struct nodes *nodes, const char *server)
{
    struct check *check = nodes->check;
    for (size_t i = 0; i < nodes->count; i++)
        check_judge_clock(
            check->findings,
            check_text(check->findings, "%s %.*s", server, SLICE_ARG(nodes->list[i].name)),
            check_option(check, "sync.settle"), &nodes->list[i].reading,
            check->pipeline->settle_us);
}

static bool see_node(void *ctx, const struct slice *cells, uint32_t count)
{
    struct nodes *nodes = ctx;
    struct buf name = {0};
    if (count < 2)
        return false;
    if (cells[0].len == 4)
        buf_printf(&name, "%d.%d.%d.%d", (unsigned char)cells[0].ptr[0],
                   (unsigned char)cells[0].ptr[1], (unsigned char)cells[0].ptr[2],
                   (unsigned char)cells[0].ptr[3]);
    else
        buf_append_str(&name, nodes->check->options->cassandra_address);
    take_reading(nodes, buf_slice(&name), cql_decode_int(cells[1]));
    buf_free(&name);
    return false;
}

/* Requests take turns among the nodes that the client is connected to. */
static void ask_cassandra(struct check *check, struct nodes *nodes)
{
    const struct cql_statement statement = {
        .text = SLICE_LIT("SELECT rpc_address, toTimestamp(now()) FROM system.local")};
    const struct cql_execution execution = {.consistency = CQL_LOCAL_ONE};
    struct err err = {0};
    for (int i = 0; i < ROUNDS; i++) {
        nodes->asked_us = clock_wall_us();
        if (await_cql_rows(check->cassandra, &statement, &execution, see_node, nodes, &err))
            continue;
        check_failed(check, "cassandra", "asking for the time", &err);
        return;
    }
    judge(nodes, "cassandra");
}

static void take_stats(struct nodes *nodes, const struct json_node *answer)
{
    const struct json_node *list = json_member(answer, "nodes");
    if (!list || list->type != JSON_OBJECT)
        return;
    for (const struct json_node *n = json_first(list); n; n = json_next(list, n)) {
        const struct json_node *time = json_member(n, "timestamp");
        const struct json_node *name = json_member(n, "name");
        int64_t ms;
        if (time && json_int64(time, &ms))
            take_reading(nodes, name ? name->text : n->key, ms);
    }
}

/* Needs the privilege monitor; without it, nothing is said here. */
static void ask_elasticsearch(struct check *check, struct nodes *nodes)
{
    struct json_doc *doc = json_doc_new();
    struct buf text = {0};
    struct err err = {0};
    bool fine = true;
    for (int i = 0; i < ROUNDS / 2 && fine; i++) {
        nodes->asked_us = clock_wall_us();
        fine = await_es_ask(check->elasticsearch,
                            "/_nodes/stats/os?filter_path=nodes.*.timestamp,nodes.*.name", NULL,
                            doc, &text, &err);
        if (fine)
            take_stats(nodes, json_root(doc));
    }
    if (fine)
        judge(nodes, "elasticsearch");
    else if (err.code != ERR_AUTH)
        check_failed(check, "elasticsearch", "asking for the time", &err);
    buf_free(&text);
    json_doc_free(doc);
}

void check_clocks(struct check *check)
{
    struct nodes nodes = {.check = check, .resolution_us = 1000};
    nodes.list = arena_alloc(check->arena, NODES_MAX * sizeof *nodes.list);
    if (check->have & CHECK_CASSANDRA)
        ask_cassandra(check, &nodes);
    nodes.count = 0;
    if (check->have & CHECK_ELASTICSEARCH)
        ask_elasticsearch(check, &nodes);
}
