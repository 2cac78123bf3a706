#include "support/record.h"

#include "base/mem.h"
#include "cql/statement.h"
#include "cql/token.h"

#include <stdio.h>
#include <stdlib.h>

const struct record_column record_columns[RECORD_COLUMNS] = {
    {"did", "uuid", 0x0C, NULL},          {"name", "text", 0x0D, "keyword"},
    {"message", "text", 0x0D, "keyword"}, {"city", "text", 0x0D, "keyword"},
    {"likes", "int", 0x09, "integer"},    {"total", "bigint", 0x02, "long"},
    {"score", "double", 0x07, "double"},  {"active", "boolean", 0x04, "boolean"},
};

/* splitmix64 */
static uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static void render_key(struct record *record)
{
    static const char hex[] = "0123456789abcdef";
    char *at = record->key_text;
    for (unsigned i = 0; i < sizeof record->key; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[(unsigned char)record->key[i] >> 4];
        *at++ = hex[record->key[i] & 15];
    }
    *at = '\0';
}

struct record record_make(uint64_t number)
{
    struct record record = {.number = number};
    cql_encode_i64(record.key, (int64_t)scramble(2 * number));
    cql_encode_i64(record.key + 8, (int64_t)scramble(2 * number + 1));
    record.key[6] = (char)((record.key[6] & 0x0f) | 0x40);
    record.key[8] = (char)((record.key[8] & 0x3f) | 0x80);
    render_key(&record);
    record.token = cql_token(slice_of(record.key, sizeof record.key));
    return record;
}

static void append_text(const struct record *record, unsigned column, struct buf *out)
{
    if (column == 1)
        buf_printf(out, "user %llu", (unsigned long long)record->number);
    else if (column == 3)
        buf_printf(out, "city %04x", (unsigned)(scramble(record->number) & 0xffff));
    for (unsigned i = 0; column == 2 && i < 6; i++)
        buf_printf(out, "%016llx", (unsigned long long)scramble(record->number * 7 + i));
}

static int64_t integer(const struct record *record, unsigned column)
{
    return column == 4 ? (int64_t)record->number : (int64_t)(scramble(record->number) >> 20);
}

static double score(const struct record *record)
{
    return (double)(record->number % 100000) / 64;
}

void record_cell(const struct record *record, unsigned column, struct buf *out)
{
    union {
        double real;
        int64_t bits;
    } real = {.real = score(record)};
    switch (record_columns[column].type_id) {
    case 0x0C:
        buf_append(out, record->key, sizeof record->key);
        break;
    case 0x0D:
        append_text(record, column, out);
        break;
    case 0x09:
        buf_append_be32(out, (uint32_t)integer(record, column));
        break;
    case 0x02:
        buf_append_be64(out, (uint64_t)integer(record, column));
        break;
    case 0x07:
        buf_append_be64(out, (uint64_t)real.bits);
        break;
    default:
        buf_append_char(out, (char)(record->number & 1));
    }
}

void record_document(const struct record *record, int64_t version, struct buf *out)
{
    buf_printf(out, "{\"timestamp\":%lld", (long long)version);
    for (unsigned i = 1; i < RECORD_COLUMNS; i++) {
        buf_printf(out, ",\"%s\":", record_columns[i].name);
        switch (record_columns[i].type_id) {
        case 0x0D:
            buf_append_char(out, '"');
            append_text(record, i, out);
            buf_append_char(out, '"');
            break;
        case 0x07:
            buf_printf(out, "%.17g", score(record));
            break;
        case 0x04:
            buf_append_str(out, record->number & 1 ? "true" : "false");
            break;
        default:
            buf_append_i64_text(out, integer(record, i));
        }
    }
    buf_append_char(out, '}');
}

static int by_token(const void *a, const void *b)
{
    const int64_t left = ((const struct record *)a)->token;
    const int64_t right = ((const struct record *)b)->token;
    return (left > right) - (left < right);
}

struct record *records_by_token(uint64_t count)
{
    struct record *records = mem_array(count + 1, sizeof *records);
    for (uint64_t i = 0; i < count; i++)
        records[i] = record_make(i);
    qsort(records, count, sizeof *records, by_token);
    return records;
}
