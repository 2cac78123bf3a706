#include "app/logging_config.h"

#include "app/nearest.h"

#include <limits.h>
#include <stdio.h>
#include <strings.h>

/* Handlers by name, until loggers refer to them. */
struct names {
    const struct config_node *formatters, *handlers;
    const struct logging_format *formats;
};

static bool only(struct config_reader *r, const struct config_node *map, const char *known,
                 struct err *err)
{
    if (map->kind != CONFIG_MAP)
        return config_fail(&r->doc, map, NULL, err,
                           "is no map; write lines of the form name: value");
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->items[i]->key;
        char best[40] = "";
        unsigned least = UINT_MAX;
        for (const char *p = known; *p; p += strspn(p, " ")) {
            char name[40];
            size_t len = strcspn(p, " ");
            snprintf(name, sizeof name, "%.*s", (int)len, p);
            p += len;
            unsigned distance = strcmp(key, name) == 0 ? 0 : nearest_distance(key, name) + 1;
            if (distance < least) {
                least = distance;
                memcpy(best, name, sizeof best);
            }
        }
        if (least == 0)
            continue;
        if (nearest_plausible(key, least - 1))
            return config_fail(&r->doc, map->items[i], NULL, err,
                               "unknown key; did you mean \"%s\"?", best);
        return config_fail(&r->doc, map->items[i], NULL, err, "unknown key; known here: %s", known);
    }
    return true;
}

bool logging_level_parse(const char *text, int *level)
{
    static const struct {
        const char *name;
        int level;
    } names[] = {{"NOTSET", LOG_DEBUG},    {"DEBUG", LOG_DEBUG},  {"INFO", LOG_INFO},
                 {"WARNING", LOG_WARNING}, {"WARN", LOG_WARNING}, {"ERROR", LOG_ERROR},
                 {"CRITICAL", LOG_OFF},    {"FATAL", LOG_OFF}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcasecmp(text, names[i].name) == 0) {
            *level = names[i].level;
            return true;
        }
    }
    int64_t number;
    if (!config_value_int(text, &number) || number < 0)
        return false;
    *level = number <= 10 ? LOG_DEBUG : number > 40 ? LOG_OFF : (int)(number + 9) / 10 - 1;
    return true;
}

static bool read_level(struct config_reader *r, const struct config_node *map, int *level,
                       struct err *err)
{
    const struct config_node *node = config_tree_get(map, "level");
    const char *text;
    if (!node)
        return true;
    if (!config_value_text(r, node, &text, err))
        return false;
    if (*level == LOGGING_UNSET && (strcasecmp(text, "NOTSET") == 0 || strcmp(text, "0") == 0))
        return true;
    return logging_level_parse(text, level) ||
           config_fail(&r->doc, node, NULL, err,
                       "is no level; give DEBUG, INFO, WARNING, ERROR or CRITICAL");
}

static bool read_text(struct config_reader *r, const struct config_node *map, const char *key,
                      const char **out, struct err *err)
{
    const struct config_node *node = config_tree_get(map, key);
    return !node || config_value_text(r, node, out, err);
}

static bool read_bool(struct config_reader *r, const struct config_node *map, const char *key,
                      bool *out, struct err *err)
{
    const struct config_node *node = config_tree_get(map, key);
    if (!node || (node->kind == CONFIG_SCALAR && config_value_bool(node->text, out)))
        return true;
    return config_fail(&r->doc, node, NULL, err, "is neither true nor false; write one of them");
}

static bool read_count(struct config_reader *r, const struct config_node *map, const char *key,
                       int64_t max, int64_t *out, struct err *err)
{
    const struct config_node *node = config_tree_get(map, key);
    if (!node || (node->kind == CONFIG_SCALAR && config_value_int(node->text, out) && *out >= 0 &&
                  *out <= max))
        return true;
    return config_fail(&r->doc, node, NULL, err, "is no number; give 0 to %lld", (long long)max);
}

static bool read_formatter(struct config_reader *r, const struct config_node *node,
                           struct logging_format *out, struct err *err)
{
    const char *format = "%(message)s";
    const char *datefmt = NULL;
    const char *style = "%";
    const char *why;
    if (!only(r, node, "format datefmt style", err) ||
        !read_text(r, node, "format", &format, err) ||
        !read_text(r, node, "datefmt", &datefmt, err) || !read_text(r, node, "style", &style, err))
        return false;
    if (strcmp(style, "%") != 0)
        return config_fail(
            &r->doc, config_tree_get(node, "style"), NULL, err,
            "only the style \"%%\" is known; write %%(message)s and leave style out");
    if (logging_format_compile(format, datefmt, r->doc.arena, out, &why))
        return true;
    return config_fail(&r->doc, config_tree_get(node, "format"), NULL, err, "%s", why);
}

static bool read_formatters(struct config_reader *r, struct names *names, struct err *err)
{
    size_t count = names->formatters ? names->formatters->count : 0;
    struct logging_format *all = arena_zalloc(r->doc.arena, (count + 1) * sizeof *all);
    if (names->formatters && names->formatters->kind != CONFIG_MAP)
        return config_fail(&r->doc, names->formatters, NULL, err, "is no map; write name: {...}");
    for (size_t i = 0; i < count; i++)
        if (!read_formatter(r, names->formatters->items[i], &all[i], err))
            return false;
    const char *why;
    names->formats = all;
    return logging_format_compile("%(message)s", NULL, r->doc.arena, &all[count], &why);
}

/* The place of a named member; false with err set at node when there is none. */
static bool place_of(struct config_reader *r, const struct config_node *map, const char *what,
                     const char *name, const struct config_node *node, size_t *place,
                     struct err *err)
{
    for (size_t i = 0; map && i < map->count; i++) {
        if (strcmp(map->items[i]->key, name) == 0) {
            *place = i;
            return true;
        }
    }
    return config_fail(&r->doc, node, NULL, err, "there is no %s \"%.60s\"; define it under %ss",
                       what, name, what);
}

static bool read_stream(struct config_reader *r, const struct config_node *node,
                        struct logging_handler *h, struct err *err)
{
    const char *stream = "ext://sys.stderr";
    if (!only(r, node, "class level formatter stream filters", err) ||
        !read_text(r, node, "stream", &stream, err))
        return false;
    h->to_stdout = strcmp(stream, "ext://sys.stdout") == 0;
    if (h->to_stdout || strcmp(stream, "ext://sys.stderr") == 0)
        return true;
    return config_fail(&r->doc, config_tree_get(node, "stream"), NULL, err,
                       "is no stream; give ext://sys.stdout or ext://sys.stderr");
}

static bool read_file(struct config_reader *r, const struct config_node *node, const char *more,
                      struct logging_handler *h, struct err *err)
{
    char known[200];
    const char *name = NULL;
    const char *mode = "a";
    bool delay;
    snprintf(known, sizeof known, "class level formatter filename mode encoding delay filters %s",
             more);
    if (!only(r, node, known, err) || !read_text(r, node, "filename", &name, err) ||
        !read_text(r, node, "mode", &mode, err) || !read_bool(r, node, "delay", &delay, err))
        return false;
    if (!name)
        return config_fail(&r->doc, node, "filename", err, "is missing; name the log file");
    if (mode[0] != 'a' && mode[0] != 'w')
        return config_fail(&r->doc, config_tree_get(node, "mode"), NULL, err,
                           "is no mode; give a (append) or w (overwrite)");
    h->truncate = mode[0] == 'w';
    h->file = config_value_path(r, name);
    struct buf where = {0};
    char path[200];
    const struct config_node *at = config_tree_get(node, "filename");
    buf_printf(&where, "%s:%u: %s", r->doc.file, at->line, config_tree_path(at, path, sizeof path));
    h->where = arena_copy(r->doc.arena, buf_slice(&where)).ptr;
    buf_free(&where);
    return true;
}

static bool read_rotating(struct config_reader *r, const struct config_node *node,
                          struct logging_handler *h, struct err *err)
{
    return read_file(r, node, "maxBytes backupCount", h, err) &&
           read_count(r, node, "maxBytes", INT64_MAX, &h->max_bytes, err) &&
           read_count(r, node, "backupCount", 1000, &h->backup_count, err);
}

static bool read_when(struct config_reader *r, const struct config_node *node, const char *when,
                      struct logging_handler *h, struct err *err)
{
    static const struct {
        const char *when;
        int64_t period;
        const char *suffix;
    } kinds[] = {{"S", 1, "%Y-%m-%d_%H-%M-%S"},
                 {"M", 60, "%Y-%m-%d_%H-%M"},
                 {"H", 3600, "%Y-%m-%d_%H"},
                 {"D", 86400, "%Y-%m-%d"},
                 {"MIDNIGHT", 86400, "%Y-%m-%d"}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcasecmp(when, kinds[i].when) == 0) {
            h->period = kinds[i].period;
            h->suffix = kinds[i].suffix;
            h->at_midnight = i == ARRAY_LEN(kinds) - 1;
            return true;
        }
    }
    if ((when[0] == 'W' || when[0] == 'w') && when[1] >= '0' && when[1] <= '6' && !when[2]) {
        h->period = 7LL * 86400;
        h->suffix = "%Y-%m-%d";
        h->at_midnight = true;
        h->weekday = when[1] - '0';
        return true;
    }
    return config_fail(&r->doc, config_tree_get(node, "when"), NULL, err,
                       "is no period; give S, M, H, D, midnight or W0 to W6");
}

static bool read_timed(struct config_reader *r, const struct config_node *node,
                       struct logging_handler *h, struct err *err)
{
    const char *when = "H";
    int64_t interval = 1;
    if (!read_file(r, node, "when interval backupCount utc", h, err) ||
        !read_text(r, node, "when", &when, err) || !read_when(r, node, when, h, err) ||
        !read_count(r, node, "interval", 100000, &interval, err) ||
        !read_count(r, node, "backupCount", 1000, &h->backup_count, err) ||
        !read_bool(r, node, "utc", &h->utc, err))
        return false;
    if (interval == 0)
        return config_fail(&r->doc, config_tree_get(node, "interval"), NULL, err,
                           "is no number; give 1 to 100000");
    if (h->weekday < 0)
        h->period *= interval;
    return true;
}

static bool read_class(struct config_reader *r, const struct config_node *node,
                       struct logging_handler *h, struct err *err)
{
    const char *class = NULL;
    if (!read_text(r, node, "class", &class, err))
        return false;
    if (!class)
        return config_fail(&r->doc, node, "class", err,
                           "is missing; give logging.StreamHandler for example");
    if (strncmp(class, "logging.handlers.", 17) == 0)
        class += 17;
    else if (strncmp(class, "logging.", 8) == 0)
        class += 8;
    h->weekday = -1;
    h->kind = LOGGING_NULL;
    if (strcmp(class, "NullHandler") == 0)
        return only(r, node, "class level formatter filters", err);
    h->kind = LOGGING_STREAM;
    if (strcmp(class, "StreamHandler") == 0)
        return read_stream(r, node, h, err);
    h->kind = LOGGING_FILE;
    if (strcmp(class, "FileHandler") == 0 || strcmp(class, "WatchedFileHandler") == 0)
        return read_file(r, node, "", h, err);
    h->kind = LOGGING_ROTATING;
    if (strcmp(class, "RotatingFileHandler") == 0)
        return read_rotating(r, node, h, err);
    h->kind = LOGGING_TIMED;
    if (strcmp(class, "TimedRotatingFileHandler") == 0)
        return read_timed(r, node, h, err);
    return config_fail(&r->doc, config_tree_get(node, "class"), NULL, err,
                       "unknown handler; give StreamHandler, FileHandler, RotatingFileHandler or "
                       "TimedRotatingFileHandler");
}

static bool no_filters(struct config_reader *r, const struct config_node *map, struct err *err)
{
    const struct config_node *filters = config_tree_get(map, "filters");
    if (!filters || (filters->kind != CONFIG_SCALAR && filters->count == 0))
        return true;
    return config_fail(&r->doc, filters, NULL, err, "filters are not known here; leave them out");
}

static bool read_handler(struct config_reader *r, const struct config_node *node,
                         const struct names *names, struct logging_handler *h, struct err *err)
{
    const char *formatter = NULL;
    size_t place = names->formatters ? names->formatters->count : 0;
    if (node->kind != CONFIG_MAP)
        return config_fail(&r->doc, node, NULL, err, "is no map; write class: ... below it");
    h->name = node->key;
    h->level = LOG_DEBUG;
    if (!read_class(r, node, h, err) || !read_level(r, node, &h->level, err) ||
        !read_text(r, node, "formatter", &formatter, err) || !no_filters(r, node, err))
        return false;
    if (formatter && !place_of(r, names->formatters, "formatter", formatter,
                               config_tree_get(node, "formatter"), &place, err))
        return false;
    h->format = &names->formats[place];
    return true;
}

static bool read_handlers(struct config_reader *r, const struct names *names,
                          struct logging_config *out, struct err *err)
{
    size_t count = names->handlers ? names->handlers->count : 0;
    struct logging_handler *all = arena_zalloc(r->doc.arena, (count + 1) * sizeof *all);
    if (names->handlers && names->handlers->kind != CONFIG_MAP)
        return config_fail(&r->doc, names->handlers, NULL, err, "is no map; write name: {...}");
    for (size_t i = 0; i < count; i++)
        if (!read_handler(r, names->handlers->items[i], names, &all[i], err))
            return false;
    out->handlers = all;
    out->handler_count = count;
    return true;
}

static bool read_logger(struct config_reader *r, const struct config_node *node,
                        const struct names *names, struct logging_logger *l, struct err *err)
{
    if (node->kind == CONFIG_NULL)
        return true;
    if (!only(r, node, "level handlers propagate filters", err) || !no_filters(r, node, err) ||
        !read_level(r, node, &l->level, err) ||
        !read_bool(r, node, "propagate", &l->propagate, err))
        return false;
    const struct config_node *list = config_tree_get(node, "handlers");
    if (!list)
        return true;
    if (list->kind != CONFIG_LIST)
        return config_fail(&r->doc, list, NULL, err, "is no list; write [name]");
    size_t *places = arena_zalloc(r->doc.arena, (list->count + 1) * sizeof *places);
    for (size_t i = 0; i < list->count; i++) {
        const char *name;
        if (!config_value_text(r, list->items[i], &name, err) ||
            !place_of(r, names->handlers, "handler", name, list->items[i], &places[i], err))
            return false;
    }
    l->handlers = places;
    l->handler_count = list->count;
    return true;
}

static bool read_loggers(struct config_reader *r, const struct config_node *node,
                         const struct names *names, struct logging_config *out, struct err *err)
{
    const struct config_node *named = config_tree_get(node, "loggers");
    const struct config_node *root = config_tree_get(node, "root");
    size_t count = named ? named->count : 0;
    struct logging_logger *all = arena_zalloc(r->doc.arena, (count + 1) * sizeof *all);
    if (named && named->kind != CONFIG_MAP)
        return config_fail(&r->doc, named, NULL, err, "is no map; write name: {...}");
    struct logging_logger *next = all;
    struct logging_logger top = {"", LOG_WARNING, false, NULL, 0};
    for (size_t i = 0; i < count; i++) {
        const struct config_node *one = named->items[i];
        struct logging_logger *l = one->key[0] ? next++ : &top; /* '' is another name of the root */
        if (l != &top)
            *l = (struct logging_logger){one->key, LOGGING_UNSET, true, NULL, 0};
        if (!read_logger(r, one, names, l, err))
            return false;
    }
    if (root && !read_logger(r, root, names, &top, err))
        return false;
    *next++ = top;
    out->loggers = all;
    out->logger_count = (size_t)(next - all);
    return true;
}

struct logging_config *logging_config_read(struct config_reader *r, const struct config_node *node,
                                           struct err *err)
{
    struct logging_config *out = arena_zalloc(r->doc.arena, sizeof *out);
    int64_t version = 1;
    bool incremental = false;
    bool disable;
    if (!only(
            r, node,
            "version formatters handlers loggers root disable_existing_loggers incremental filters",
            err) ||
        !read_count(r, node, "version", INT_MAX, &version, err) ||
        !read_bool(r, node, "incremental", &incremental, err) || !no_filters(r, node, err) ||
        !read_bool(r, node, "disable_existing_loggers", &disable, err))
        return NULL;
    if (version != 1 || incremental) {
        config_fail(&r->doc, config_tree_get(node, version != 1 ? "version" : "incremental"), NULL,
                    err, "not known here; give version: 1 and leave incremental out");
        return NULL;
    }
    struct names names = {.formatters = config_tree_get(node, "formatters"),
                          .handlers = config_tree_get(node, "handlers")};
    if (!read_formatters(r, &names, err) || !read_handlers(r, &names, out, err) ||
        !read_loggers(r, node, &names, out, err))
        return NULL;
    return out;
}

struct logging_config *logging_config_default(struct arena *arena, enum log_level level,
                                              const char *file, const char *where)
{
    struct logging_config *out = arena_zalloc(arena, sizeof *out);
    struct logging_handler *handler = arena_zalloc(arena, sizeof *handler);
    struct logging_logger *root = arena_zalloc(arena, sizeof *root);
    struct logging_format *format = arena_zalloc(arena, 2 * sizeof *format);
    size_t *place = arena_zalloc(arena, sizeof *place);
    const char *why;
    bool ok =
        logging_format_compile("%(asctime)s %(levelname)s %(name)s %(message)s", NULL, arena,
                               format, &why) &&
        logging_format_compile("%(levelname)s %(name)s %(message)s", NULL, arena, format + 1, &why);
    *handler = (struct logging_handler){
        .name = "default",
        .kind = file ? LOGGING_ROTATING : LOGGING_STREAM,
        .level = LOG_DEBUG,
        .format = ok ? format : NULL,
        .journal_format = ok ? format + 1 : NULL,
        .file = file,
        .where = where,
        .max_bytes = 10 * 1024 * 1024,
        .backup_count = 3,
        .weekday = -1,
    };
    *root = (struct logging_logger){"", (int)level, false, place, 1};
    *out = (struct logging_config){false, handler, 1, root, 1};
    return out;
}
