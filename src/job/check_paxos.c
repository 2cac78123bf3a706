#include "cql/wire.h"
#include "job/check_context.h"
#include "source/await.h"

/* Conditional writes (IF NOT EXISTS, IF …) leave a row in system.paxos of each node that took part,
 * for the partition's key and the table's id, for some hours. The table is each node's own: only
 * the coordinator's is seen. */

enum { SCANNED_MAX = 10000, KEYS_MAX = 100 };

struct search {
    const struct check_table *table;
    bool found;
};

static bool see(void *ctx, const struct slice *cells, uint32_t count)
{
    struct search *s = ctx;
    s->found = count && slice_equal(cells[0], slice_of(s->table->id, sizeof s->table->id));
    return !s->found;
}

static bool scan(struct check *check, struct search *s, struct err *err)
{
    struct buf text = {0};
    buf_printf(&text, "SELECT cf_id FROM system.paxos LIMIT %d", SCANNED_MAX);
    const struct cql_statement statement = {.text = buf_slice(&text)};
    const struct cql_execution execution = {.consistency = CQL_ONE, .page_size = 5000};
    const bool fine = await_cql_rows(check->cassandra, &statement, &execution, see, s, err);
    buf_free(&text);
    return fine;
}

/* A partition key of several columns: each with its length before it and a zero behind. */
static void append_partition(struct check *check, const struct change_key *key, struct buf *out)
{
    uint32_t parts = 0;
    for (uint32_t i = 0; i < check->data.column_count; i++)
        parts += check->data.columns[i].kind == MAP_PARTITION_KEY;
    if (parts == 1) {
        buf_append_slice(out, key->cells[0]);
        return;
    }
    for (uint32_t i = 0; i < parts; i++) {
        cql_write_string(out, key->cells[i]);
        buf_append_char(out, '\0');
    }
}

static bool look_up(struct check *check, struct search *s, struct err *err)
{
    struct buf partition = {0};
    bool fine = true;
    for (size_t i = 0; fine && !s->found && i < check->sample.count && i < KEYS_MAX; i++) {
        buf_clear(&partition);
        append_partition(check, &check->sample.entries[i].key, &partition);
        const struct cql_value values[] = {
            cql_value_of(buf_slice(&partition)),
            cql_value_of(slice_of(s->table->id, sizeof s->table->id))};
        const struct cql_statement statement = {
            .text = SLICE_LIT("SELECT cf_id FROM system.paxos WHERE row_key = ? AND cf_id = ?"),
            .values = values,
            .value_count = ARRAY_LEN(values),
        };
        const struct cql_execution execution = {.consistency = CQL_ONE};
        fine = await_cql_rows(check->cassandra, &statement, &execution, see, s, err);
    }
    buf_free(&partition);
    return fine;
}

void check_conditional_writes(struct check *check)
{
    struct search search = {.table = &check->data};
    struct err err = {0};
    const bool fine = scan(check, &search, &err) && (search.found || look_up(check, &search, &err));
    if (search.found)
        check_add(check->findings, CHECK_ERROR, check->data.where,
                  "let applications write it without IF, or sync another table",
                  "was written with conditions (IF …) of late: such writes and the daemon's don't "
                  "respect each other");
    else if (!fine && err.code == ERR_AUTH)
        check_add(check->findings, CHECK_INFO, check->data.where,
                  "GRANT SELECT ON system.paxos TO the daemon's role, or make sure of it",
                  "whether applications write it with conditions (IF …), which is not supported, "
                  "can't be looked at: SELECT on system.paxos is not permitted");
    else if (!fine)
        check_failed(check, check->data.where, "looking for conditional writes", &err);
}
