#include "sink/query_text.h"

#include "sink/query_reader.h"

static struct query_column *last_column(const struct query_reader *r)
{
    return (struct query_column *)(r->columns.ptr + r->columns.len) - 1;
}

/* --- the three statements */

static bool parse_values(struct query_reader *r)
{
    const size_t count = r->columns.len / sizeof(struct query_column);
    if (!query_take_word(r, "VALUES") || !query_take_symbol(r, '('))
        return false;
    for (size_t i = 0; r->depth > 0;) {
        if (query_at_end(r))
            return query_take_closed(r, 0);
        const bool separates =
            r->depth == 1 && (query_is_symbol(r, ',') || query_is_symbol(r, ')'));
        if (separates) {
            if (r->generated && i < count)
                ((struct query_column *)r->columns.ptr)[i].generated = true;
            r->generated = false;
            i++;
        }
        if (!query_take(r))
            return false;
    }
    return true;
}

static bool parse_insert(struct query_reader *r)
{
    if (!query_take(r) || !query_take_word(r, "INTO") || !query_take_table(r))
        return false;
    if (query_is_word(r, "JSON")) {
        r->statement.json = true;
        return query_take_rest(r);
    }
    if (!query_take_symbol(r, '('))
        return false;
    for (;;) {
        if (!query_note_column(r) || !query_take(r))
            return false;
        if (query_is_symbol(r, ')'))
            break;
        if (!query_take_symbol(r, ','))
            return false;
    }
    return query_take(r) && parse_values(r) && query_take_rest(r);
}

static bool names_column(struct query_reader *r, const struct query_token *token)
{
    return query_is_name(token) && slice_equal(query_schema_name(r, token), last_column(r)->name);
}

/* What can't be a set or a map: the server's schema need not be asked. */
static bool check_operand(struct query_reader *r, const struct query_token *operand)
{
    const size_t at = last_column(r)->at;
    if (operand->kind == QUERY_CONSTANT)
        return query_fail(r, at, "a counter is not idempotent: sent again it would count twice");
    if (query_token_is_symbol(operand, '[') && last_column(r)->use == QUERY_ADDED)
        return query_fail(
            r, at,
            "an append to a list is not idempotent: sent again it would add twice; assign "
            "the whole list, or take a set");
    return true;
}

/* Behind "column =". */
static bool parse_assigned(struct query_reader *r)
{
    const struct query_token first = r->token;
    const bool itself = names_column(r, &first);
    bool plus = false;
    for (bool start = true; !query_at_end(r); start = false) {
        if (r->depth == 0 && !start && (query_is_symbol(r, ',') || query_is_word(r, "WHERE")))
            break;
        const bool top = r->depth == 0, sign = query_is_symbol(r, '+') || query_is_symbol(r, '-');
        if (top && plus && !itself && names_column(r, &r->token)) {
            last_column(r)->use = QUERY_ADDED;
            if (!check_operand(r, &first))
                return false;
        }
        plus = top && query_is_symbol(r, '+');
        const bool operates = top && sign && itself && last_column(r)->use == QUERY_ASSIGNED;
        if (operates)
            last_column(r)->use = plus ? QUERY_ADDED : QUERY_SUBTRACTED;
        if (!query_take(r) || (operates && !check_operand(r, &r->token)))
            return false;
    }
    return query_take_closed(r, 0);
}

static bool parse_assignment(struct query_reader *r)
{
    if (!query_note_column(r) || !query_take(r))
        return false;
    if (query_is_symbol(r, '[')) {
        last_column(r)->use = QUERY_ELEMENT;
        if (!query_take(r) || !query_take_closed(r, 0))
            return false;
    } else if (query_is_symbol(r, '.')) {
        if (!query_take(r) || !query_expect_name(r, "the name of a field") || !query_take(r))
            return false;
    } else if (query_is_symbol(r, '+') || query_is_symbol(r, '-')) {
        last_column(r)->use = query_is_symbol(r, '+') ? QUERY_ADDED : QUERY_SUBTRACTED;
        if (!query_take(r) || !query_take_symbol(r, '=') || !check_operand(r, &r->token))
            return false;
        return parse_assigned(r);
    }
    return query_take_symbol(r, '=') && parse_assigned(r);
}

static bool parse_update(struct query_reader *r)
{
    if (!query_take(r) || !query_take_table(r))
        return false;
    while (!query_is_word(r, "SET")) {
        if (query_at_end(r))
            return query_fail_token(r, "SET");
        if (!query_take(r))
            return false;
    }
    do {
        if (!query_take(r) || !parse_assignment(r)) /* takes SET or the comma */
            return false;
    } while (query_is_symbol(r, ','));
    const size_t where = r->token.at;
    r->generated = false;
    if (!query_take_word(r, "WHERE") || !query_take_rest(r))
        return false;
    return !r->generated ||
           query_fail(r, where,
                      "a key that is made here is not idempotent: sent again it would "
                      "write another row");
}

static bool parse_deleted(struct query_reader *r)
{
    if (!query_note_column(r) || !query_take(r))
        return false;
    if (query_is_symbol(r, '[')) {
        last_column(r)->use = QUERY_ELEMENT;
        return query_take(r) && query_take_closed(r, 0);
    }
    return !query_is_symbol(r, '.') ||
           (query_take(r) && query_expect_name(r, "the name of a field") && query_take(r));
}

/* At one write time a tombstone covers what is written, and "delete the old rows, insert the new
 * ones" would leave nothing: deletes are a µs earlier, as the server has it for whole collections.
 */
static bool parse_delete(struct query_reader *r)
{
    if (!query_take(r))
        return false;
    r->statement.whole_rows = query_is_word(r, "FROM");
    while (!query_is_word(r, "FROM")) {
        if (!parse_deleted(r))
            return false;
        if (!query_is_word(r, "FROM") && !query_take_symbol(r, ','))
            return false;
    }
    if (!query_take(r) || !query_take_table(r))
        return false;
    if (!query_is_word(r, "USING")) {
        buf_append_str(&r->cql, " USING TIMESTAMP ");
        query_add_mark(r, SLICE_NULL, r->statement.at);
    }
    return query_take_rest(r);
}

static bool parse_kind(struct query_reader *r)
{
    if (query_is_word(r, "INSERT"))
        return parse_insert(r);
    if (query_is_word(r, "UPDATE")) {
        r->statement.kind = QUERY_UPDATE;
        return parse_update(r);
    }
    if (query_is_word(r, "DELETE")) {
        r->statement.kind = QUERY_DELETE;
        return parse_delete(r);
    }
    if (query_is_word(r, "SELECT"))
        return query_fail(r, r->token.at, "SELECT writes nothing; write INSERT, UPDATE or DELETE");
    if (query_is_word(r, "BEGIN") || query_is_word(r, "APPLY"))
        return query_fail(
            r, r->token.at,
            "the option batch makes the batch; leave BEGIN BATCH and APPLY BATCH away");
    return query_fail_token(r, "INSERT, UPDATE or DELETE");
}

/* --- all of it */

static const void *keep(struct query_reader *r, struct buf *list, size_t size, uint32_t *count)
{
    *count = (uint32_t)(list->len / size);
    return arena_copy(r->arena, buf_slice(list)).ptr;
}

static bool parse_statement(struct query_reader *r)
{
    r->statement = (struct query_statement){.at = r->token.at};
    buf_clear(&r->cql);
    buf_clear(&r->marks);
    buf_clear(&r->columns);
    buf_clear(&r->anchors);
    r->generated = r->generator = false;
    if (!parse_kind(r))
        return false;
    struct query_statement *s = &r->statement;
    s->cql = arena_copy(r->arena, buf_slice(&r->cql));
    s->marks = keep(r, &r->marks, sizeof *s->marks, &s->mark_count);
    s->columns = keep(r, &r->columns, sizeof *s->columns, &s->column_count);
    s->anchors = keep(r, &r->anchors, sizeof *s->anchors, &s->anchor_count);
    return true;
}

static bool parse_all(struct query_reader *r, struct buf *statements)
{
    if (!query_next(r))
        return false;
    while (r->token.kind != QUERY_END) {
        if (query_is_symbol(r, ';')) {
            if (!query_next(r))
                return false;
            continue;
        }
        if (!parse_statement(r))
            return false;
        buf_append(statements, &r->statement, sizeof r->statement);
    }
    return statements->len > 0 ||
           query_fail(r, 0, "it holds no statement; write one or leave it out");
}

bool query_text_parse(struct slice text, struct slice keyspace, struct arena *arena,
                      struct query_script *script, struct query_place *place, struct err *err)
{
    struct query_reader r = {.scanner.text = arena_copy(arena, text),
                             .arena = arena,
                             .keyspace = arena_copy(arena, keyspace),
                             .err = err};
    struct buf statements = {0};
    const bool fine = parse_all(&r, &statements);
    if (fine) {
        script->text = r.scanner.text;
        script->statements = keep(&r, &statements, sizeof *script->statements, &script->count);
    } else {
        *place = query_place_at(r.scanner.text, r.scanner.fault);
    }
    struct buf *const lists[] = {&r.cql, &r.marks, &r.columns, &r.anchors, &statements};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        buf_free(lists[i]);
    return fine;
}

struct query_place query_statement_place(const struct query_script *script,
                                         const struct query_statement *statement, size_t character)
{
    size_t at = 0;
    for (; at < statement->cql.len; at++) {
        if (((unsigned char)statement->cql.ptr[at] & 0xC0) != 0x80 && character-- == 0)
            break;
    }
    size_t text = statement->at;
    for (uint32_t i = 0; i < statement->anchor_count && statement->anchors[i].cql <= at; i++)
        text = statement->anchors[i].text;
    return query_place_at(script->text, text);
}
