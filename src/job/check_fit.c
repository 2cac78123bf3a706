#include "job/check_fit.h"

#include "base/attr.h"

/* What a column's values look like in JSON. */
enum sent {
    TEXT,
    WORD, /* of a form of its own */
    ADDRESS,
    BASE64,
    BOOLEAN,
    INTEGER,
    BIG_INTEGER,
    DECIMAL,
    REAL,
    INSTANT,
    DAY,
    SENT
};

/* What kinds of fields there are. */
enum kind {
    STRINGS,
    INTEGERS,
    UNSIGNED,
    REALS,
    BOOLEANS,
    DATES,
    ADDRESSES,
    BINARY,
    OBJECTS,
    ALIAS,
    OTHER
};

static const struct {
    const char *name;
    enum kind kind;
    int bits; /* of integers: how many; of reals: what they hold of a double */
} field_types[] = {
    {"text", STRINGS, 0},
    {"keyword", STRINGS, 0},
    {"string", STRINGS, 0},
    {"wildcard", STRINGS, 0},
    {"match_only_text", STRINGS, 0},
    {"search_as_you_type", STRINGS, 0},
    {"long", INTEGERS, 64},
    {"integer", INTEGERS, 32},
    {"short", INTEGERS, 16},
    {"byte", INTEGERS, 8},
    {"unsigned_long", UNSIGNED, 64},
    {"double", REALS, 64},
    {"scaled_float", REALS, 64},
    {"float", REALS, 32},
    {"half_float", REALS, 16},
    {"boolean", BOOLEANS, 0},
    {"date", DATES, 0},
    {"date_nanos", DATES, 64},
    {"ip", ADDRESSES, 0},
    {"binary", BINARY, 0},
    {"object", OBJECTS, 0},
    {"nested", OBJECTS, 0},
    {"flattened", OBJECTS, 0},
    {"alias", ALIAS, 0},
};

static const struct {
    enum cql_type_id id;
    enum sent sent;
    int bits;
} column_types[] = {
    {CQL_VARCHAR, TEXT, 0},      {CQL_ASCII, TEXT, 0},        {CQL_UUID, WORD, 0},
    {CQL_TIMEUUID, WORD, 0},     {CQL_TIME, WORD, 0},         {CQL_DURATION, WORD, 0},
    {CQL_INET, ADDRESS, 0},      {CQL_BLOB, BASE64, 0},       {CQL_BOOLEAN, BOOLEAN, 0},
    {CQL_TINYINT, INTEGER, 8},   {CQL_SMALLINT, INTEGER, 16}, {CQL_INT, INTEGER, 32},
    {CQL_BIGINT, INTEGER, 64},   {CQL_COUNTER, INTEGER, 64},  {CQL_VARINT, BIG_INTEGER, 0},
    {CQL_DECIMAL, DECIMAL, 0},   {CQL_FLOAT, REAL, 32},       {CQL_DOUBLE, REAL, 64},
    {CQL_TIMESTAMP, INSTANT, 0}, {CQL_DATE, DAY, 0},
};

struct slice check_field_type(const struct json_node *definition)
{
    const struct json_node *type = json_member(definition, "type");
    return type && type->type == JSON_STRING ? type->text : SLICE_LIT("object");
}

static bool is_true(const struct json_node *n)
{
    return n && (n->type == JSON_TRUE || slice_is(n->text, "true"));
}

static bool is_off(const struct json_node *n)
{
    return n && (n->type == JSON_FALSE || slice_is(n->text, "false"));
}

bool check_format_has(const struct json_node *format, const char *const *parts, size_t count)
{
    static const char standard[] = "strict_date_optional_time||epoch_millis";
    struct slice rest = format ? format->text : slice_str(standard);
    while (rest.len > 0) {
        const char *bar = memmem(rest.ptr, rest.len, "||", 2);
        const size_t len = bar ? (size_t)(bar - rest.ptr) : rest.len;
        for (size_t i = 0; i < count; i++)
            if (slice_is(slice_of(rest.ptr, len), parts[i]))
                return true;
        const size_t used = bar ? len + 2 : len;
        rest = slice_of(rest.ptr + used, rest.len - used);
    }
    return false;
}

/* Patterns of letters are not taken apart: only those that surely lack what is sent count. */
static bool may_take_instants(const struct json_node *format)
{
    static const char *const takes[] = {"strict_date_optional_time",
                                        "date_optional_time",
                                        "dateOptionalTime",
                                        "strict_date_time",
                                        "date_time",
                                        "strict_date_optional_time_nanos",
                                        "iso8601",
                                        "strict_dateOptionalTime",
                                        "dateTime"};
    return check_format_has(format, takes, ARRAY_LEN(takes)) ||
           (format && memmem(format->text.ptr, format->text.len, "'T'", 3));
}

static bool may_take_days(const struct json_node *format)
{
    static const char *const takes[] = {"strict_date_optional_time",
                                        "date_optional_time",
                                        "dateOptionalTime",
                                        "strict_date",
                                        "date",
                                        "strict_date_optional_time_nanos",
                                        "iso8601",
                                        "strict_year_month_day",
                                        "year_month_day",
                                        "yyyy-MM-dd",
                                        "uuuu-MM-dd",
                                        "strict_dateOptionalTime",
                                        "yearMonthDay"};
    return check_format_has(format, takes, ARRAY_LEN(takes));
}

static bool may_take_numbers(const struct json_node *format)
{
    static const char *const takes[] = {"epoch_millis", "epoch_second"};
    return check_format_has(format, takes, ARRAY_LEN(takes));
}

static enum check_fit say(enum check_fit fit, const char **why, const char *words)
{
    *why = words;
    return fit;
}

static enum check_fit integers_in(enum kind kind, int bits, int column_bits, const char **why)
{
    if (kind == REALS)
        return CHECK_FITS;
    if (kind == UNSIGNED)
        return say(CHECK_FITS_SOME, why, "negative numbers are refused");
    if (bits < column_bits)
        return say(CHECK_FITS_SOME, why, "numbers beyond the field's range are refused");
    if (bits > column_bits)
        return say(CHECK_WIDER, why,
                   "documents with numbers beyond the column's range are refused");
    return CHECK_FITS;
}

static enum check_fit dates_in(enum sent sent, int bits, const struct json_node *format,
                               const char **why)
{
    if (sent == INTEGER)
        return may_take_numbers(format) ? CHECK_FITS
                                        : say(CHECK_REFUSES, why, "its format takes no numbers");
    if (sent == INSTANT && !may_take_instants(format))
        return say(CHECK_REFUSES, why, "its format does not take \"2015-03-25T03:36:52.000Z\"");
    if (sent == DAY && !may_take_days(format))
        return say(CHECK_REFUSES, why, "its format does not take \"2015-03-25\"");
    if (sent == TEXT)
        return say(CHECK_FITS_SOME, why, "texts that are no dates of its format are refused");
    if (sent != INSTANT && sent != DAY)
        return say(CHECK_REFUSES, why, "values are no dates");
    if (bits == 64)
        return say(CHECK_FITS_SOME, why, "dates before 1970 and after 2262 are refused");
    return CHECK_FITS;
}

static enum check_fit numbers_in(enum sent sent, int column_bits, enum kind kind, int bits,
                                 const char **why)
{
    switch (sent) {
    case INTEGER:
        return integers_in(kind, bits, column_bits, why);
    case BIG_INTEGER:
        return kind == REALS && bits == 64
                   ? CHECK_FITS
                   : say(CHECK_FITS_SOME, why, "numbers beyond the field's range are refused");
    case DECIMAL:
        return kind == REALS && bits == 64
                   ? CHECK_FITS
                   : say(CHECK_FITS_SOME, why, "numbers beyond the field's range are refused");
    case REAL:
        return kind == REALS && bits >= column_bits
                   ? CHECK_FITS
                   : say(CHECK_FITS_SOME, why, "numbers beyond the field's range are refused");
    default:
        return say(CHECK_REFUSES, why, "values are no numbers");
    }
}

static enum check_fit fit(enum sent sent, int column_bits, enum kind kind, int bits,
                          const struct json_node *definition, const char **why)
{
    switch (kind) {
    case STRINGS:
    case OTHER:
        return CHECK_FITS;
    case INTEGERS:
    case UNSIGNED:
    case REALS:
        return numbers_in(sent, column_bits, kind, bits, why);
    case BOOLEANS:
        return sent == BOOLEAN ? CHECK_FITS
                               : say(CHECK_REFUSES, why, "values are neither true nor false");
    case DATES:
        return dates_in(sent, bits, json_member(definition, "format"), why);
    case ADDRESSES:
        return sent == ADDRESS ? CHECK_FITS : say(CHECK_REFUSES, why, "values are no IP addresses");
    case BINARY:
        return sent == BASE64 ? CHECK_FITS : say(CHECK_REFUSES, why, "values are no base64");
    case ALIAS:
        return say(CHECK_REFUSES, why, "nothing can be written to an alias of a field");
    case OBJECTS:
        return is_off(json_member(definition, "enabled"))
                   ? CHECK_FITS
                   : say(CHECK_REFUSES, why, "values are no objects");
    }
    return CHECK_FITS;
}

enum check_fit check_field_fit(const struct cql_type *type, const struct json_node *definition,
                               const char **why)
{
    const struct slice name = check_field_type(definition);
    *why = "";
    /* Arrays are written as many values of one field. */
    while ((type->id == CQL_LIST || type->id == CQL_SET) && type->element_count == 1)
        type = type->elements[0];
    enum sent sent = SENT;
    int column_bits = 0, bits = 0;
    enum kind kind = OTHER;
    for (size_t i = 0; i < ARRAY_LEN(column_types); i++) {
        if (column_types[i].id == type->id) {
            sent = column_types[i].sent;
            column_bits = column_types[i].bits;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(field_types); i++) {
        if (slice_is(name, field_types[i].name)) {
            kind = field_types[i].kind;
            bits = field_types[i].bits;
        }
    }
    if (sent == SENT || is_true(json_member(definition, "ignore_malformed")))
        return CHECK_FITS;
    return fit(sent, column_bits, kind, bits, definition, why);
}
