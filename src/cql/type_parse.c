/* The two textual forms of a type: CQL, as in system_schema, and class names of the server. */
#include "cql/type.h"

#include "cql/type_name.h"

enum { ELEMENTS_MAX = 256 }; /* of one tuple in text */

struct parser {
    const char *at, *end;
    struct arena *arena;
    int depth;
};

struct element_list {
    const struct cql_type *types[ELEMENTS_MAX];
    struct slice names[ELEMENTS_MAX];
    uint32_t count;
};

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && *p->at == ' ')
        p->at++;
}

/* Takes c, blanks around it included. */
static bool take(struct parser *p, char c)
{
    skip_blanks(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    skip_blanks(p);
    return true;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static struct slice take_word(struct parser *p)
{
    skip_blanks(p);
    const char *start = p->at;
    while (p->at < p->end && is_word_char(*p->at))
        p->at++;
    return slice_of(start, (size_t)(p->at - start));
}

static bool take_number(struct parser *p, uint32_t *number)
{
    const struct slice word = take_word(p);
    uint32_t n = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '9' || n > UINT16_MAX)
            return false;
        n = n * 10 + (uint32_t)(word.ptr[i] - '0');
    }
    *number = n;
    return n > 0;
}

/* Behind the last character of what is in quotes at start, where a doubled quote stands for one;
 * NULL when it has no end. */
static const char *end_of_quoted(const char *start, const char *end, char quote)
{
    for (const char *at = start + 1; at < end; at++) {
        if (*at != quote)
            continue;
        if (at + 1 == end || at[1] != quote)
            return at;
        at++;
    }
    return NULL;
}

static struct slice take_quoted(struct parser *p, char quote)
{
    const char *end = end_of_quoted(p->at, p->end, quote);
    if (!end)
        return SLICE_NULL;
    char *text = arena_alloc(p->arena, (size_t)(end - p->at));
    size_t len = 0;
    for (const char *at = p->at + 1; at < end; at++) {
        text[len++] = *at;
        at += *at == quote;
    }
    p->at = end + 1;
    return slice_of(text, len);
}

static struct cql_type *new_type(struct parser *p, enum cql_type_id id)
{
    struct cql_type *type = arena_zalloc(p->arena, sizeof *type);
    type->id = id;
    return type;
}

static struct cql_type *new_of(struct parser *p, enum cql_type_id id, const struct element_list *of)
{
    struct cql_type *type = new_type(p, id);
    const struct cql_type **elements = arena_alloc(p->arena, of->count * sizeof *elements);
    if (of->count > 0)
        memcpy(elements, of->types, of->count * sizeof *elements);
    type->elements = elements;
    type->element_count = of->count;
    return type;
}

static const struct {
    const char *cql, *class;
    enum cql_type_id id;
    uint32_t elements; /* 0: one or more */
} containers[] = {
    {"list", "ListType", CQL_LIST, 1},       {"set", "SetType", CQL_SET, 1},
    {"map", "MapType", CQL_MAP, 2},          {"tuple", "TupleType", CQL_TUPLE, 0},
    {"vector", "VectorType", CQL_VECTOR, 1},
};

/* --- CQL --- */

static struct cql_type *parse_cql(struct parser *p);

static struct cql_type *parse_cql_container(struct parser *p, size_t container)
{
    struct element_list of = {.count = 0};
    const enum cql_type_id id = containers[container].id;
    uint32_t dimensions = 0;
    if (!take(p, '<'))
        return NULL;
    do {
        if (id == CQL_VECTOR && of.count == 1) {
            if (!take_number(p, &dimensions))
                return NULL;
            break;
        }
        if (of.count == ELEMENTS_MAX || !(of.types[of.count] = parse_cql(p)))
            return NULL;
        of.count++;
    } while (take(p, ','));
    const uint32_t wanted = containers[container].elements;
    if (!take(p, '>') || (wanted && of.count != wanted) || (id == CQL_VECTOR && !dimensions))
        return NULL;
    struct cql_type *type = new_of(p, id, &of);
    type->dimensions = dimensions;
    return type;
}

static struct cql_type *parse_cql_word(struct parser *p, struct slice word)
{
    if (slice_is(word, "frozen")) {
        struct cql_type *type = take(p, '<') ? parse_cql(p) : NULL;
        if (!type || !take(p, '>'))
            return NULL;
        type->frozen = true;
        return type;
    }
    for (size_t i = 0; i < ARRAY_LEN(containers); i++)
        if (slice_is(word, containers[i].cql))
            return parse_cql_container(p, i);
    const struct cql_type_name *name = cql_type_name_find(word);
    if (name)
        return new_type(p, name->id);
    struct cql_type *type = new_type(p, CQL_UDT);
    type->name = arena_copy(p->arena, word);
    return word.len ? type : NULL;
}

static struct cql_type *parse_cql(struct parser *p)
{
    struct cql_type *type = NULL;
    if (++p->depth > CQL_TYPE_DEPTH_MAX)
        return NULL;
    skip_blanks(p);
    const char first = p->at < p->end ? *p->at : '\0';
    if (first == '"' || first == '\'') {
        type = new_type(p, first == '"' ? CQL_UDT : CQL_CUSTOM);
        type->name = take_quoted(p, first);
        if (slice_is_null(type->name))
            return NULL;
    } else {
        type = parse_cql_word(p, take_word(p));
    }
    p->depth--;
    return type;
}

const struct cql_type *cql_type_parse(struct slice text, struct arena *arena, struct err *err)
{
    struct parser p = {.at = text.ptr, .end = text.ptr + text.len, .arena = arena};
    const struct cql_type *type = parse_cql(&p);
    skip_blanks(&p);
    if (type && p.at == p.end)
        return type;
    err_set(err, ERR_SCHEMA, "not a CQL type: %.*s", SLICE_ARG(text));
    return NULL;
}

/* --- classes --- */

static struct cql_type *parse_class(struct parser *p);

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Names inside UserType(…) are in hexadecimal. */
static struct slice unhex(struct parser *p, struct slice hex)
{
    char *text = arena_alloc(p->arena, hex.len / 2 + 1);
    for (size_t i = 0; i + 1 < hex.len; i += 2) {
        const int high = hex_digit(hex.ptr[i]), low = hex_digit(hex.ptr[i + 1]);
        if (high < 0 || low < 0)
            return SLICE_NULL;
        text[i / 2] = (char)(high << 4 | low);
    }
    return hex.len % 2 ? SLICE_NULL : slice_of(text, hex.len / 2);
}

static struct cql_type *parse_user_class(struct parser *p)
{
    struct element_list of = {.count = 0};
    const struct slice keyspace = arena_copy(p->arena, take_word(p));
    const struct slice name = take(p, ',') ? unhex(p, take_word(p)) : SLICE_NULL;
    if (slice_is_null(name))
        return NULL;
    while (take(p, ',')) {
        if (of.count == ELEMENTS_MAX)
            return NULL;
        of.names[of.count] = unhex(p, take_word(p));
        if (slice_is_null(of.names[of.count]) || !take(p, ':') ||
            !(of.types[of.count] = parse_class(p)))
            return NULL;
        of.count++;
    }
    struct cql_type *type = new_of(p, CQL_UDT, &of);
    struct slice *fields = arena_alloc(p->arena, of.count * sizeof *fields);
    if (of.count > 0)
        memcpy(fields, of.names, of.count * sizeof *fields);
    type->keyspace = keyspace;
    type->name = name;
    type->field_names = fields;
    return type;
}

static struct cql_type *parse_class_container(struct parser *p, size_t container)
{
    struct element_list of = {.count = 0};
    const enum cql_type_id id = containers[container].id;
    uint32_t dimensions = 0;
    do {
        if (id == CQL_VECTOR && of.count == 1) {
            if (!take_number(p, &dimensions))
                return NULL;
            break;
        }
        if (of.count == ELEMENTS_MAX || !(of.types[of.count] = parse_class(p)))
            return NULL;
        of.count++;
    } while (take(p, ','));
    const uint32_t wanted = containers[container].elements;
    if ((wanted && of.count != wanted) || (id == CQL_VECTOR && !dimensions))
        return NULL;
    struct cql_type *type = new_of(p, id, &of);
    type->dimensions = dimensions;
    return type;
}

static struct slice base_name(struct slice class)
{
    size_t at = class.len;
    while (at > 0 && class.ptr[at - 1] != '.')
        at--;
    return slice_of(class.ptr + at, class.len - at);
}

/* Behind the opening parenthesis; leaves the closing one. */
static struct cql_type *parse_parameters(struct parser *p, struct slice class)
{
    if (slice_is(class, "FrozenType") || slice_is(class, "ReversedType"))
        return parse_class(p);
    if (slice_is(class, "UserType"))
        return parse_user_class(p);
    for (size_t i = 0; i < ARRAY_LEN(containers); i++)
        if (slice_is(class, containers[i].class))
            return parse_class_container(p, i);
    return NULL;
}

static bool has_parameters(struct slice class)
{
    for (size_t i = 0; i < ARRAY_LEN(containers); i++)
        if (slice_is(class, containers[i].class))
            return true;
    return slice_is(class, "FrozenType") || slice_is(class, "ReversedType") ||
           slice_is(class, "UserType");
}

/* Moves behind the parameters of a class that we don't know; at stands on the opening one. */
static bool skip_parameters(struct parser *p)
{
    int open = 0;
    while (p->at < p->end) {
        const char c = *p->at++;
        open += (c == '(') - (c == ')');
        if (open == 0)
            return true;
    }
    return false;
}

static struct cql_type *parse_class(struct parser *p)
{
    if (++p->depth > CQL_TYPE_DEPTH_MAX)
        return NULL;
    skip_blanks(p);
    const char *start = p->at;
    const struct slice class = base_name(take_word(p));
    struct cql_type *type = NULL;
    const struct cql_type_name *name = cql_type_name_find_class(class);
    if (name) {
        type = new_type(p, name->id);
    } else if (has_parameters(class)) {
        type = take(p, '(') ? parse_parameters(p, class) : NULL;
        if (!type || !take(p, ')'))
            return NULL;
    } else if (class.len > 0 && (p->at == p->end || *p->at != '(' || skip_parameters(p))) {
        type = new_type(p, CQL_CUSTOM);
        type->name = arena_copy(p->arena, slice_of(start, (size_t)(p->at - start)));
    }
    p->depth--;
    return type;
}

const struct cql_type *cql_type_parse_class(struct slice text, struct arena *arena, struct err *err)
{
    struct parser p = {.at = text.ptr, .end = text.ptr + text.len, .arena = arena};
    const struct cql_type *type = parse_class(&p);
    skip_blanks(&p);
    if (type && p.at == p.end)
        return type;
    err_set(err, ERR_PROTOCOL, "not a type's class: %.*s", SLICE_ARG(text));
    return NULL;
}
