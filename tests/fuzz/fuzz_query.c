// layer: sink
// Text of insertQuery. What is accepted has as many marks as its CQL has question marks outside of
// quotes.
#include "sink/query_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
    if (!ok)
        abort();
}

/* The CQL must scan as CQL; ? counts as an error of the scanner. */
static uint32_t count_marks(struct slice cql)
{
    struct query_scanner scanner = {.text = cql};
    struct query_token token = {.kind = QUERY_SYMBOL};
    struct err err = {0};
    uint32_t marks = 0;
    while (token.kind != QUERY_END) {
        if (query_scan(&scanner, &token, &err))
            continue;
        /* A percent sign stands for itself here, within quotes too: no more is known then. */
        if (scanner.fault >= cql.len || cql.ptr[scanner.fault] == '%')
            return UINT32_MAX;
        expect(cql.ptr[scanner.fault] == '?');
        scanner.at = scanner.fault + 1;
        token.kind = QUERY_SYMBOL;
        marks++;
    }
    return marks;
}

static void check_statement(const struct query_script *script, const struct query_statement *s)
{
    const uint32_t marks = count_marks(s->cql);
    expect(marks == UINT32_MAX || marks == s->mark_count);
    expect(s->cql.len > 0 && s->at < script->text.len && !slice_is_null(s->table));
    for (uint32_t i = 0; i < s->mark_count; i++)
        expect(s->marks[i].at < script->text.len);
    for (uint32_t i = 0; i < s->column_count; i++)
        expect(s->columns[i].at < script->text.len && !slice_is_null(s->columns[i].name));
    for (size_t at = 0; at <= s->cql.len; at += 7) {
        const struct query_place place = query_statement_place(script, s, at);
        expect(place.line > 0 && place.column > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct query_script script;
    struct query_place place = {0};
    struct err err = {0};
    const struct slice text = slice_of(size ? (const char *)data : "", size);
    if (query_text_parse(text, SLICE_LIT("ks"), &arena, &script, &place, &err)) {
        expect(script.count > 0);
        for (uint32_t i = 0; i < script.count; i++)
            check_statement(&script, &script.statements[i]);
    } else {
        expect(err.code == ERR_CONFIG && place.line > 0 && place.column > 0);
    }
    arena_free(&arena);
    return 0;
}
