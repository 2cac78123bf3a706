#include "sink/query.h"

#include "base/mem.h"
#include "sink/query_rules.h"
#include "sink/query_values.h"
#include "source/await.h"

#include <stdio.h>
#include <stdlib.h>

struct planned {
    struct slice table; /* with its keyspace, for messages */
    const struct cql_prepared *prepared;
    const struct cql_column *columns; /* as they were prepared */
    const struct query_bind *binds;
    uint32_t bind_count;
    bool repeatable;
};

struct sink_query {
    const struct source_table *table;
    const struct source_table_options *options;
    struct cql_client *client;
    bool same_time;
    bool fields; /* some placeholder wants a field of the document */
    struct planned *planned;
    uint32_t count;
    struct json_doc *source;
    struct arena arena;
};

/* One statement while it is planned. */
struct planning {
    struct sink_query *query;
    const struct query_script *script;
    const struct query_statement *statement;
    struct map_table_column *columns; /* of its table */
    uint32_t column_count;
    struct query_place place; /* where an error is */
};

bool sink_query_check(const char *text, struct query_place *place, struct err *err)
{
    struct arena arena = {0};
    struct query_script script;
    const bool fine =
        query_text_parse(slice_str(text), SLICE_LIT("ks"), &arena, &script, place, err);
    arena_free(&arena);
    return fine;
}

static bool plan_bind(struct planning *p, const struct query_mark *mark,
                      const struct cql_column *column, struct query_bind *bind, struct err *err)
{
    struct sink_query *q = p->query;
    p->place = query_place_at(p->script->text, mark->at);
    if (!query_bind_plan(q->table->schema, q->options->unit_us, mark->field, column, bind, err))
        return false;
    bind->needs_value = query_rules_needs_value(column->name, p->columns, p->column_count);
    q->fields = q->fields || bind->from == QUERY_FROM_FIELD;
    return true;
}

/* "line 1:23 no viable alternative …" is about the CQL that we made. */
static void place_of_server(struct planning *p, const struct err *err)
{
    unsigned character;
    const char *at = err ? strstr(err->text, "line 1:") : NULL;
    if (at && sscanf(at, "line 1:%u", &character) == 1)
        p->place = query_statement_place(p->script, p->statement, character);
}

static bool prepare(struct planning *p, struct planned *out, struct err *err)
{
    const struct query_statement *s = p->statement;
    struct arena *arena = &p->query->arena;
    if (!await_cql_prepare(p->query->client, s->cql.ptr, &out->prepared, err)) {
        place_of_server(p, err);
        return false;
    }
    const struct cql_metadata *marks = cql_prepared_binds(out->prepared);
    if (marks->count != s->mark_count)
        return err_set(err, ERR_SCHEMA, "it has %u placeholders, but the server found %u",
                       s->mark_count, marks->count);
    struct query_bind *binds = arena_alloc(arena, (marks->count + 1) * sizeof *binds);
    for (uint32_t i = 0; i < marks->count; i++) {
        if (!plan_bind(p, &s->marks[i], &marks->columns[i], &binds[i], err))
            return false;
    }
    out->columns = marks->columns;
    out->binds = binds;
    out->bind_count = marks->count;
    return true;
}

static bool check_rules(struct planning *p, bool same_time, struct err *err)
{
    const struct source_table_options *o = p->query->options;
    const struct query_rules rules = {.keyspace = o->keyspace,
                                      .data = o->data,
                                      .series = o->series,
                                      .schema = p->query->table->schema,
                                      .same_time = same_time};
    size_t at;
    const bool fine =
        query_rules_check(&rules, p->statement, p->columns, p->column_count, &at, err);
    p->place = query_place_at(p->script->text, at);
    return fine;
}

static bool plan(struct planning *p, struct planned *out, struct arena *scratch, struct err *err)
{
    const struct query_statement *s = p->statement;
    p->place = query_place_at(p->script->text, s->at);
    if (!source_table_columns(p->query->client, s->keyspace.ptr, s->table.ptr, scratch, &p->columns,
                              &p->column_count, err))
        return false;
    if (p->column_count == 0)
        return err_set(err, ERR_SCHEMA, "cassandra has no table %.*s.%.*s", SLICE_ARG(s->keyspace),
                       SLICE_ARG(s->table));
    struct buf table = {0};
    buf_printf(&table, "%.*s.%.*s", SLICE_ARG(s->keyspace), SLICE_ARG(s->table));
    out->table = arena_copy(&p->query->arena, buf_slice(&table));
    buf_free(&table);
    out->repeatable = check_rules(p, true, NULL);
    return check_rules(p, p->query->same_time, err) && prepare(p, out, err);
}

/* Statements are numbered through all texts. */
static bool plan_script(struct sink_query *q, const struct query_script *script, const char *where,
                        struct err *err)
{
    struct planned *all = arena_alloc(&q->arena, (q->count + script->count) * sizeof *all);
    if (q->count)
        memcpy(all, q->planned, q->count * sizeof *all);
    q->planned = all;
    struct arena scratch = {0};
    bool fine = true;
    for (uint32_t i = 0; fine && i < script->count; i++) {
        struct planning p = {.query = q, .script = script, .statement = &script->statements[i]};
        fine = plan(&p, &q->planned[q->count++], &scratch, err) ||
               err_context(err, "%s: statement %u (line %u, column %u)", where, q->count,
                           p.place.line, p.place.column);
    }
    arena_free(&scratch);
    return fine;
}

static bool plan_text(struct sink_query *q, const struct sink_query_text *text, struct err *err)
{
    struct query_script script;
    struct query_place place;
    if (query_text_parse(slice_str(text->text), slice_str(q->options->keyspace), &q->arena, &script,
                         &place, err))
        return plan_script(q, &script, text->where, err);
    return err_context(err, "%s: line %u, column %u", text->where, place.line, place.column);
}

struct sink_query *sink_query_new(struct cql_client *client, const struct source_table *table,
                                  const struct source_table_options *table_options,
                                  const struct sink_query_options *options, struct err *err)
{
    struct sink_query *q = mem_zalloc(sizeof *q);
    q->client = client;
    q->table = table;
    q->options = table_options;
    q->same_time = options->same_time;
    q->source = json_doc_new();
    for (uint32_t i = 0; i < options->count; i++) {
        if (!plan_text(q, &options->texts[i], err)) {
            sink_query_free(q);
            return NULL;
        }
    }
    return q;
}

void sink_query_free(struct sink_query *q)
{
    if (!q)
        return;
    json_doc_free(q->source);
    arena_free(&q->arena);
    free(q);
}

uint32_t sink_query_count(const struct sink_query *q)
{
    return q ? q->count : 0;
}

bool sink_query_repeatable(const struct sink_query *q, uint32_t statement)
{
    return q->planned[statement].repeatable;
}

static bool bind_statement(const struct planned *planned, const struct query_values *values,
                           struct arena *arena, struct cql_statement *out, struct err *err)
{
    /* Types are others by now: what was checked at the start has to be checked again. */
    if (cql_prepared_binds(planned->prepared)->columns != planned->columns)
        return err_set(err, ERR_SCHEMA, "table %.*s has changed", SLICE_ARG(planned->table));
    struct cql_value *bound = arena_alloc(arena, (planned->bind_count + 1) * sizeof *bound);
    for (uint32_t i = 0; i < planned->bind_count; i++) {
        const struct query_bind *bind = &planned->binds[i];
        if (!query_bind_value(bind, values, arena, &bound[i], err))
            return false;
        if (bound[i].kind != CQL_VALUE_SET && bind->needs_value)
            return err_set(err, ERR_VALUE,
                           "field \"%.*s\" has no value, but it names a row or element of %.*s",
                           SLICE_ARG(bind->field), SLICE_ARG(planned->table));
    }
    *out = (struct cql_statement){
        .prepared = planned->prepared, .values = bound, .value_count = planned->bind_count};
    return true;
}

static bool read_source(struct sink_query *q, const struct sink_write *write,
                        const struct json_node **source, struct err *err)
{
    *source = NULL;
    if (!q->fields)
        return true;
    if (!write->document || slice_is_null(write->document->source))
        return err_set(err, ERR_VALUE, "insertQuery: the document's fields are not at hand");
    if (!json_parse(q->source, write->document->source, false, err))
        return false;
    *source = json_root(q->source);
    return true;
}

bool sink_query_bind(struct sink_query *q, const struct sink_write *write, struct arena *arena,
                     struct cql_statement *out, struct err *err)
{
    struct query_values values = {
        .schema = q->table->schema, .unit_us = q->options->unit_us, .write = write};
    if (!read_source(q, write, &values.source, err))
        return false;
    for (uint32_t i = 0; i < q->count; i++) {
        if (!bind_statement(&q->planned[i], &values, arena, &out[i], err))
            return sink_query_context(i, err);
    }
    return true;
}

bool sink_query_context(uint32_t statement, struct err *err)
{
    return err_context(err, "insertQuery statement %u", statement + 1);
}
