#include "app/config_value.h"

#include "app/config_hosts.h"
#include "app/duration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { STRING_MAX = 64 * 1024 };

static void *at(void *base, const struct config_option *option)
{
    return (char *)base + option->offset;
}

const char *config_value_shown(const struct config_node *node, char *out, size_t size)
{
    if (node->hidden || node->kind != CONFIG_SCALAR)
        snprintf(out, size, "the value");
    else
        snprintf(out, size, strlen(node->text) > 40 ? "\"%.40s...\"" : "\"%s\"", node->text);
    return out;
}

#define SHOWN(node) config_value_shown((node), (char[64]){0}, 64)

bool config_value_text(struct config_reader *r, const struct config_node *node, const char **out,
                       struct err *err)
{
    if (node->kind != CONFIG_SCALAR)
        return config_fail(&r->doc, node, NULL, err, "is a %s; give one value",
                           node->kind == CONFIG_LIST  ? "list"
                           : node->kind == CONFIG_MAP ? "map"
                                                      : "null");
    if (node->text[0] == '\0')
        return config_fail(&r->doc, node, NULL, err, "is empty; give a value or leave it out");
    if (strlen(node->text) > STRING_MAX)
        return config_fail(&r->doc, node, NULL, err, "is too long; give at most %d bytes",
                           STRING_MAX);
    *out = node->text;
    return true;
}

bool config_value_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

bool config_value_int(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 ||
        (text[0] != '-' && (text[0] < '0' || text[0] > '9')))
        return false;
    *out = value;
    return true;
}

const char *config_value_path(struct config_reader *r, const char *path)
{
    struct buf full = {0};
    const char *file = r->doc.file;
    const char *slash = strrchr(file, '/');
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && r->source->home) {
        buf_append_str(&full, r->source->home);
        path++;
    } else if (path[0] != '/' && slash) {
        buf_append(&full, file, (size_t)(slash - file) + 1);
    }
    buf_append_str(&full, path);
    const char *result = arena_copy(r->doc.arena, buf_slice(&full)).ptr;
    buf_free(&full);
    return result;
}

static bool read_bool(struct config_reader *r, const struct config_node *node, const char *text,
                      bool *out, struct err *err)
{
    if (config_value_bool(text, out))
        return true;
    return config_fail(&r->doc, node, NULL, err, "%s is neither true nor false; write one of them",
                       SHOWN(node));
}

static bool read_int(struct config_reader *r, const struct config_option *option,
                     const struct config_node *node, const char *text, int64_t *out,
                     struct err *err)
{
    if (!config_value_int(text, out))
        return config_fail(&r->doc, node, NULL, err,
                           "%s is not a whole number; give one from %lld to %lld", SHOWN(node),
                           (long long)option->min, (long long)option->max);
    if (*out < option->min || *out > option->max)
        return config_fail(&r->doc, node, NULL, err, "%s is out of range; give %lld to %lld",
                           SHOWN(node), (long long)option->min, (long long)option->max);
    return true;
}

static bool out_of_range(struct config_reader *r, const struct config_option *option,
                         const struct config_node *node, int64_t scale, struct err *err)
{
    struct buf range = {0};
    duration_render(option->min * scale, &range);
    buf_append_str(&range, " to ");
    duration_render(option->max * scale, &range);
    config_fail(&r->doc, node, NULL, err, "%s is out of range; give %s", SHOWN(node),
                buf_cstr(&range));
    buf_free(&range);
    return false;
}

static bool read_duration(struct config_reader *r, const struct config_option *option,
                          const struct config_node *node, const char *text, int64_t *out,
                          struct err *err)
{
    if (option->word && strcmp(text, option->word) == 0) {
        *out = 0;
        return true;
    }
    if (!duration_parse(text, out, NULL))
        return config_fail(&r->doc, node, NULL, err,
                           "%s is not a duration; give seconds, or a number with ms, s, m, h or d",
                           SHOWN(node));
    int64_t scale = option->type == OPTION_SECONDS ? 1000 : 1;
    if (*out < option->min * scale || *out > option->max * scale)
        return out_of_range(r, option, node, scale, err);
    if (*out % scale != 0)
        return config_fail(&r->doc, node, NULL, err, "%s is not in whole seconds; round it",
                           SHOWN(node));
    *out /= scale;
    return true;
}

static bool read_overlap(struct config_reader *r, const struct config_node *node, const char *text,
                         struct config_overlap *out, struct err *err)
{
    if (duration_parse(text, &out->ms, &out->has_unit))
        return true;
    return config_fail(
        &r->doc, node, NULL, err,
        "%s is not a span of versions; give seconds, a number with ms, s, m, h or d, "
        "or (versionUnit none) a count",
        SHOWN(node));
}

static bool read_enum(struct config_reader *r, const struct config_option *option,
                      const struct config_node *node, const char *text, void *out, struct err *err)
{
    int place = 0;
    for (const char *p = option->choices; *p; place++) {
        size_t len = strcspn(p, "|");
        if (strlen(text) == len && strncasecmp(text, p, len) == 0) {
            memcpy(out, &place, sizeof place);
            return true;
        }
        p += len + (p[len] == '|');
    }
    struct buf words = {0};
    for (const char *p = option->choices; *p; p++)
        buf_append_str(&words, *p == '|' ? ", " : (char[]){*p, '\0'});
    config_fail(&r->doc, node, NULL, err, "%s is none of its values; give one of %s", SHOWN(node),
                buf_cstr(&words));
    buf_free(&words);
    return false;
}

/* Only what every server version refuses too. */
static bool check_index(struct config_reader *r, const struct config_node *node, const char *text,
                        struct err *err)
{
    if (strlen(text) > 255)
        return config_fail(&r->doc, node, NULL, err, "is longer than 255 bytes; shorten it");
    const char *bad = strpbrk(text, " \t\n\\/*?\"<>|,#ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (bad || strchr("-_+", text[0]) || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return config_fail(
            &r->doc, node, NULL, err,
            "%s is no index name; use lower case, no blanks or \\ / * ? \" < > | , #, "
            "and a letter or digit first",
            SHOWN(node));
    return true;
}

static bool check_identifier(struct config_reader *r, const struct config_node *node,
                             const char *text, struct err *err)
{
    for (const char *p = text; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *p))
            return config_fail(&r->doc, node, NULL, err,
                               "%s is no name in Cassandra; use letters, digits and _",
                               SHOWN(node));
    if (strlen(text) > 48)
        return config_fail(&r->doc, node, NULL, err, "is longer than 48 characters; shorten it");
    return true;
}

static bool read_list(struct config_reader *r, const struct config_node *node,
                      struct config_list *out, struct err *err)
{
    bool list = node->kind == CONFIG_LIST;
    size_t count = list ? node->count : 1;
    const char **items = arena_zalloc(r->doc.arena, (count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++)
        if (!config_value_text(r, list ? node->items[i] : node, &items[i], err))
            return false;
    *out = (struct config_list){items, count};
    return true;
}

static bool read_pairs(struct config_reader *r, const struct config_node *node,
                       struct config_pairs *out, struct err *err)
{
    if (node->kind != CONFIG_MAP)
        return config_fail(&r->doc, node, NULL, err,
                           "is no map; write lines of the form name: name");
    const char **names = arena_zalloc(r->doc.arena, (node->count + 1) * sizeof *names);
    const char **values = arena_zalloc(r->doc.arena, (node->count + 1) * sizeof *values);
    for (size_t i = 0; i < node->count; i++) {
        names[i] = node->items[i]->key;
        if (!config_value_text(r, node->items[i], &values[i], err))
            return false;
    }
    *out = (struct config_pairs){names, values, node->count};
    return true;
}

/* Copies per datacenter, or what the strategy is told besides. */
static bool check_replication(struct config_reader *r, const struct config_node *node,
                              const struct config_pairs *pairs, struct err *err)
{
    static const struct config_option copies = {.min = 1, .max = 1000};
    const char *known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.- ";
    for (size_t i = 0; i < pairs->count; i++) {
        int64_t number;
        if (pairs->names[i][strspn(pairs->names[i], known)])
            return config_fail(&r->doc, node->items[i], NULL, err,
                               "is no datacenter's name; use letters, digits, _ . and -");
        bool fine = strcmp(pairs->names[i], "class") == 0
                        ? check_identifier(r, node->items[i], pairs->values[i], err)
                        : read_int(r, &copies, node->items[i], pairs->values[i], &number, err);
        if (!fine)
            return false;
    }
    return true;
}

/* 3, {dc1: 3, dc2: 2}, or CQL's own map with its class: out has the class in all cases. */
static bool read_replication(struct config_reader *r, const struct config_node *node,
                             struct config_pairs *out, struct err *err)
{
    static const struct config_option copies = {.min = 1, .max = 1000};
    const bool number = node->kind == CONFIG_SCALAR;
    struct config_pairs given = {0};
    int64_t count;
    if (number ? !read_int(r, &copies, node, node->text, &count, err)
               : !read_pairs(r, node, &given, err) || !check_replication(r, node, &given, err))
        return false;
    const char **names = arena_zalloc(r->doc.arena, (given.count + 2) * sizeof *names);
    const char **values = arena_zalloc(r->doc.arena, (given.count + 2) * sizeof *values);
    *out = (struct config_pairs){names, values, 0};
    if (!config_tree_get(node, "class")) {
        names[0] = "class";
        values[0] = number ? "SimpleStrategy" : "NetworkTopologyStrategy";
        out->count++;
    }
    if (number) {
        names[1] = "replication_factor";
        values[1] = node->text;
        out->count++;
    }
    for (size_t i = 0; i < given.count; i++, out->count++) {
        names[out->count] = given.names[i];
        values[out->count] = given.values[i];
    }
    return true;
}

static bool read_string(struct config_reader *r, const struct config_option *option,
                        const struct config_node *node, const char *text, const char **out,
                        struct err *err)
{
    *out = text;
    if (option->type == OPTION_PATH)
        *out = config_value_path(r, text);
    if (option->type == OPTION_INDEX)
        return check_index(r, node, text, err);
    if (option->type == OPTION_IDENTIFIER)
        return check_identifier(r, node, text, err);
    return true;
}

static bool read_text(struct config_reader *r, const struct config_option *option,
                      const struct config_node *node, void *out, struct err *err)
{
    const char *text;
    if (!config_value_text(r, node, &text, err))
        return false;
    switch (option->type) {
    case OPTION_BOOL:
        return read_bool(r, node, text, out, err);
    case OPTION_LZ4:
        if (strcasecmp(text, "lz4") == 0)
            text = "true";
        return read_bool(r, node, text, out, err);
    case OPTION_INT:
        return read_int(r, option, node, text, out, err);
    case OPTION_DURATION:
    case OPTION_SECONDS:
        return read_duration(r, option, node, text, out, err);
    case OPTION_OVERLAP:
        return read_overlap(r, node, text, out, err);
    case OPTION_ENUM:
        return read_enum(r, option, node, text, out, err);
    default:
        return read_string(r, option, node, text, out, err);
    }
}

bool config_value_read(struct config_reader *r, const struct config_option *option,
                       const struct config_node *node, void *base, struct err *err)
{
    void *out = at(base, option);
    switch (option->type) {
    case OPTION_LIST:
        return read_list(r, node, out, err);
    case OPTION_PAIRS:
        return read_pairs(r, node, out, err);
    case OPTION_REPLICATION:
        return read_replication(r, node, out, err);
    case OPTION_HOSTS:
        return config_hosts_read(r, node, base, err);
    case OPTION_HTTP_AUTH:
        return config_hosts_auth(r, node, base, err);
    case OPTION_POINTS:
        return read_list(r, node, out, err) && config_points_check(r, node, out, err);
    default:
        return read_text(r, option, node, out, err);
    }
}

bool config_value_default(struct config_reader *r, const struct config_option *option, void *base,
                          struct err *err)
{
    struct config_node *node = arena_zalloc(r->doc.arena, sizeof *node);
    node->kind = CONFIG_SCALAR;
    node->text = option->fallback;
    return config_value_read(r, option, node, base, err);
}

bool config_value_secret_file(struct config_reader *r, const struct config_option *option,
                              const struct config_node *node, void *base, struct err *err)
{
    const char *name;
    if (!config_value_text(r, node, &name, err))
        return false;
    struct buf content = {0};
    struct err why = {0};
    bool ok = r->source->secret_file &&
              r->source->secret_file(r->source->ctx, config_value_path(r, name), &content, &why);
    if (ok && content.len && content.ptr[content.len - 1] == '\n')
        content.len--;
    if (ok && content.len && content.ptr[content.len - 1] == '\r')
        content.len--;
    if (!ok)
        config_fail(&r->doc, node, NULL, err, "can't read that file (%s); name a readable one",
                    why.text);
    else if (content.len == 0 || memchr(content.ptr, '\0', content.len))
        ok = config_fail(&r->doc, node, NULL, err,
                         "that file holds no text; put the secret into it");
    else
        *(const char **)at(base, option) = arena_copy(r->doc.arena, buf_slice(&content)).ptr;
    if (content.ptr)
        explicit_bzero(content.ptr, content.cap);
    buf_free(&content);
    return ok;
}
