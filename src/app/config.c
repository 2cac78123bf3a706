#include "app/config.h"

#include "app/config_check.h"
#include "app/logging_config.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SOCKET_PATH_MAX = 107 }; /* sun_path less its end */

struct parse {
    struct config_reader reader;
    struct app_config *config;
    struct config_pipeline *pipeline; /* that walk fills */
    struct config_seen *seen;
    bool entry; /* within pipelines */
    const struct config_node *logging, *pipelines;
    struct buf warnings; /* of const char * */
    struct err *err;
};

static bool walk(struct parse *p, const struct config_node *map, const char *prefix);

static void warn(struct parse *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void warn(struct parse *p, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *copy = arena_copy(p->config->arena, slice_str(text)).ptr;
    buf_append(&p->warnings, &copy, sizeof copy);
}

/* Options that this version only knows by name: nobody may believe that they work. */
static void tell_support(struct parse *p, const struct config_option *option,
                         const struct config_node *node)
{
    if (option->support == OPTION_SUPPORTED || (option->fallback && node->kind == CONFIG_SCALAR &&
                                                strcmp(option->fallback, node->text) == 0))
        return;
    char path[200];
    config_tree_path(node, path, sizeof path);
    warn(p, "%s:%u: %s: has no effect: %s", p->reader.doc.file, node->line, path, option->help);
}

/* The same thing may be said in several spellings, but only once. */
static bool mark_seen(struct parse *p, const struct config_option *option,
                      const struct config_node *node)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (options[i].scope != option->scope || options[i].offset != option->offset ||
            !p->seen->at[i])
            continue;
        char other[200];
        config_tree_path(p->seen->at[i], other, sizeof other);
        return config_fail(&p->reader.doc, node, NULL, p->err,
                           "says the same as %s in line %u; keep one", other, p->seen->at[i]->line);
    }
    p->seen->at[option - options] = node;
    return true;
}

static bool take_option(struct parse *p, const struct config_option *option,
                        const struct config_node *node, bool from_file)
{
    if (node->kind == CONFIG_NULL)
        return true;
    if (p->entry && option->scope == OPTION_PROCESS)
        return config_fail(&p->reader.doc, node, NULL, p->err,
                           "belongs to the whole daemon; move it out of pipelines");
    if (!p->entry && strcmp(option->path, "name") == 0)
        return config_fail(&p->reader.doc, node, NULL, p->err,
                           "names a pipeline; put it into an entry of pipelines");
    void *base = option->scope == OPTION_PROCESS ? (void *)p->config : (void *)p->pipeline;
    if (!mark_seen(p, option, node))
        return false;
    if (from_file ? !config_value_secret_file(&p->reader, option, node, base, p->err)
                  : !config_value_read(&p->reader, option, node, base, p->err))
        return false;
    tell_support(p, option, node);
    return true;
}

static bool unknown_key(struct parse *p, const struct config_node *node, const char *path)
{
    char nearest[OPTION_PATH_MAX];
    const char *modern = option_modern(path);
    if (modern)
        return config_fail(&p->reader.doc, node, NULL, p->err, "not known here; use %.*s%s",
                           (int)(strchr(path, '.') - path) + 1, path, modern);
    if (option_nearest(path, nearest))
        return config_fail(&p->reader.doc, node, NULL, p->err, "unknown key; did you mean \"%s\"?",
                           nearest);
    return config_fail(&p->reader.doc, node, NULL, p->err,
                       "unknown key; remove it (caes-sync help configuration lists all)");
}

static const struct config_option *secret_of_file(const char *path)
{
    size_t len = strlen(path);
    char name[CONFIG_KEY_LEN_MAX];
    if (len < 5 || len >= sizeof name || strcmp(path + len - 4, "File") != 0)
        return NULL;
    memcpy(name, path, len - 4);
    name[len - 4] = '\0';
    const struct config_option *option = option_find(name);
    return option && option->type == OPTION_SECRET ? option : NULL;
}

static bool take_member(struct parse *p, const struct config_node *node, const char *path)
{
    const struct config_option *option = option_find(path);
    if (option)
        return take_option(p, option, node, false);
    option = secret_of_file(path);
    if (option)
        return take_option(p, option, node, true);
    bool logging = strcmp(path, "logging") == 0;
    if (!p->entry && (logging || strcmp(path, "pipelines") == 0)) {
        *(logging ? &p->logging : &p->pipelines) = node->kind == CONFIG_NULL ? NULL : node;
        return true;
    }
    if (!option_is_section(path))
        return unknown_key(p, node, path);
    if (node->kind == CONFIG_NULL)
        return true;
    if (node->kind != CONFIG_MAP)
        return config_fail(&p->reader.doc, node, NULL, p->err,
                           "is a section; write its keys below it, indented");
    return walk(p, node, path);
}

static bool walk(struct parse *p, const struct config_node *map, const char *prefix)
{
    for (size_t i = 0; i < map->count; i++) {
        char path[CONFIG_KEY_LEN_MAX * 4];
        snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] ? "." : "", map->items[i]->key);
        if (!take_member(p, map->items[i], path))
            return false;
    }
    return true;
}

static bool set_defaults(struct parse *p)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        void *base = options[i].scope == OPTION_PROCESS ? (void *)p->config : (void *)p->pipeline;
        if (options[i].fallback && !config_value_default(&p->reader, &options[i], base, p->err))
            return false;
    }
    return true;
}

static const unsigned *keep_lines(struct parse *p, const struct config_seen *seen)
{
    unsigned *lines = arena_zalloc(p->config->arena, CONFIG_OPTIONS_MAX * sizeof *lines);
    for (size_t i = 0; i < CONFIG_OPTIONS_MAX; i++)
        lines[i] = seen->at[i] ? seen->at[i]->line : 0;
    return lines;
}

/* A file beside the state: its name, more of it, another ending. */
static const char *beside(struct app_config *config, const char *more, const char *ending)
{
    size_t len = strlen(config->state);
    if (len > 3 && strcmp(config->state + len - 3, ".db") == 0)
        len -= 3;
    struct buf path = {0};
    buf_append(&path, config->state, len);
    buf_printf(&path, "%s%s%s", more[0] ? "-" : "", more, ending);
    const char *copy = arena_copy(config->arena, buf_slice(&path)).ptr;
    buf_free(&path);
    return copy;
}

static void set_state(struct app_config *config, struct config_pipeline *p)
{
    p->state = strcmp(p->name, "default") == 0 ? config->state : beside(config, p->name, ".db");
}

/* What stands outside the list counts for every entry. */
static bool read_entry(struct parse *p, const struct config_node *node,
                       const struct config_pipeline *common, const struct config_seen *outside,
                       struct config_pipeline *out)
{
    struct config_seen seen = {0};
    *out = *common;
    p->pipeline = out;
    p->seen = &seen;
    p->entry = true;
    if (node->kind != CONFIG_MAP)
        return config_fail(&p->reader.doc, node, NULL, p->err,
                           "is no pipeline; write name: ... and its sections");
    if (!walk(p, node, ""))
        return false;
    for (size_t i = 0; i < CONFIG_OPTIONS_MAX; i++)
        if (!seen.at[i])
            seen.at[i] = outside->at[i];
    out->lines = keep_lines(p, &seen);
    if (out->name)
        set_state(p->config, out);
    return config_check_pipeline(&p->reader, out, &seen, node, p->err);
}

static bool same_hosts(const struct config_list *a, const struct config_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

/* Two that write the same records would each take the other's copies for changes. */
static bool same_pair(const struct config_pipeline *a, const struct config_pipeline *b)
{
    return strcmp(a->es.index, b->es.index) == 0 &&
           strcmp(a->cassandra.keyspace, b->cassandra.keyspace) == 0 &&
           strcmp(a->cassandra.data_table, b->cassandra.data_table) == 0 &&
           same_hosts(&a->es.hosts, &b->es.hosts) &&
           same_hosts(&a->cassandra.contact_points, &b->cassandra.contact_points);
}

static bool check_unlike(struct parse *p, const struct config_node *node,
                         const struct config_pipeline *one, const struct config_pipeline *other)
{
    if (strcmp(one->name, other->name) == 0)
        return config_fail(&p->reader.doc, node, "name", p->err,
                           "two pipelines of one name; rename one");
    if (same_pair(one, other))
        return config_fail(&p->reader.doc, node, NULL, p->err,
                           "has the index and the table of pipeline \"%s\"; remove one of them",
                           other->name);
    return true;
}

static bool read_pipelines(struct parse *p, const struct config_pipeline *common,
                           const struct config_seen *outside)
{
    const struct config_node *list = p->pipelines;
    if (list->kind != CONFIG_LIST || list->count == 0)
        return config_fail(&p->reader.doc, list, NULL, p->err,
                           "is no list of pipelines; write \"- name: ...\" for each");
    struct config_pipeline *all = arena_zalloc(p->config->arena, list->count * sizeof *all);
    for (size_t i = 0; i < list->count; i++) {
        if (!read_entry(p, list->items[i], common, outside, &all[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (!check_unlike(p, list->items[i], &all[i], &all[j]))
                return false;
    }
    p->config->pipelines = all;
    p->config->pipeline_count = list->count;
    return true;
}

/* A configuration of the system has its state where services have it, whoever asks. */
static void set_system_state(struct app_config *config)
{
    static const char folder[] = "/etc/caes-sync/", ending[] = ".yaml";
    const size_t len = strlen(config->file), ends = sizeof ending - 1;
    const size_t from = sizeof folder - 1;
    if (strncmp(config->file, folder, from) != 0 || strchr(config->file + from, '/') ||
        len <= from + ends || strcmp(config->file + len - ends, ending) != 0)
        return;
    const struct slice name = slice_of(config->file + from, len - ends - from);
    const bool plain = slice_is(name, "config");
    struct buf path = {0};
    buf_printf(&path, "/var/lib/caes-sync/%.*s%sstate.db", plain ? 0 : (int)name.len, name.ptr,
               plain ? "" : "/");
    config->state = arena_copy(config->arena, buf_slice(&path)).ptr;
    buf_free(&path);
}

static bool set_paths(struct parse *p, const struct config_seen *seen)
{
    struct app_config *config = p->config;
    const struct config_node *state = config_seen_at(seen, "state");
    if (!state)
        set_system_state(config);
    if (!config->pid_file)
        config->pid_file = beside(config, "", ".pid");
    config->control_socket = beside(config, "", ".sock");
    config->background_log = beside(config, "", ".log");
    const char *slash = strrchr(config->state, '/');
    config->state_folder =
        arena_copy(
            config->arena,
            slice_of(config->state, slash > config->state ? (size_t)(slash - config->state) : 1))
            .ptr;
    if (strlen(config->control_socket) > SOCKET_PATH_MAX)
        return config_fail(&p->reader.doc, state ? state : p->reader.doc.root,
                           state ? NULL : "state", p->err,
                           "too long for the control socket beside it; give at most %d bytes",
                           SOCKET_PATH_MAX - 5);
    return true;
}

static struct logging_config *plain_logging(struct parse *p, const struct config_seen *seen)
{
    const struct app_config *config = p->config;
    const struct config_node *node = config_seen_at(seen, "log.file");
    struct buf where = {0};
    if (node)
        buf_printf(&where, "%s:%u: log.file", config->file, node->line);
    const char *kept = arena_copy(config->arena, buf_slice(&where)).ptr;
    buf_free(&where);
    return logging_config_default(config->arena, (enum log_level)config->log.level,
                                  config->log.file, kept);
}

/* Lines of a log in the state would damage it. */
static bool check_log_files(struct parse *p, const struct logging_config *logging)
{
    const struct app_config *config = p->config;
    const struct {
        const char *path, *what;
    } others[] = {{config->file, "this configuration"},
                  {config->state, "state"},
                  {config->pid_file, "pidFile"},
                  {config->control_socket, "the control socket"}};
    for (size_t i = 0; i < logging->handler_count; i++)
        for (size_t j = 0; logging->handlers[i].file && j < ARRAY_LEN(others); j++)
            if (strcmp(logging->handlers[i].file, others[j].path) == 0)
                return err_set(p->err, ERR_CONFIG, "%s: is the file of %s too; name another",
                               logging->handlers[i].where, others[j].what);
    return true;
}

static bool set_logging(struct parse *p, const struct config_seen *seen)
{
    struct app_config *config = p->config;
    static const char *const only_without[] = {"log.level", "log.file"};
    for (size_t i = 0; p->logging && i < ARRAY_LEN(only_without); i++) {
        const struct config_node *node = config_seen_at(seen, only_without[i]);
        if (node)
            return config_fail(&p->reader.doc, node, NULL, p->err,
                               "counts only without a logging section; set it there");
    }
    struct logging_config *logging =
        p->logging ? logging_config_read(&p->reader, p->logging, p->err) : plain_logging(p, seen);
    if (!logging || !check_log_files(p, logging))
        return false;
    logging->json = config->log.format == CONFIG_LOG_JSON;
    config->has_logging = p->logging != NULL;
    config->logging = logging;
    return true;
}

static bool parse_all(struct parse *p)
{
    struct app_config *config = p->config;
    struct config_pipeline *common = arena_zalloc(config->arena, sizeof *common);
    struct config_seen seen = {0};
    p->pipeline = common;
    p->seen = &seen;
    if (!config_tree_read(&p->reader.doc, p->err) || !set_defaults(p) ||
        !walk(p, p->reader.doc.root, "") || !set_paths(p, &seen) || !set_logging(p, &seen) ||
        !config_check_http(&p->reader, config, &seen, p->err))
        return false;
    config->lines = keep_lines(p, &seen);
    if (p->pipelines)
        return read_pipelines(p, common, &seen);
    common->lines = config->lines;
    common->name = "default";
    set_state(config, common);
    config->pipelines = common;
    config->pipeline_count = 1;
    return config_check_pipeline(&p->reader, common, &seen, p->reader.doc.root, p->err);
}

struct app_config *app_config_parse(const struct config_source *source, struct err *err)
{
    struct app_config *config = mem_zalloc(sizeof *config);
    config->arena = mem_zalloc(sizeof *config->arena);
    config->file = arena_copy(config->arena, slice_str(source->file)).ptr;
    struct parse p = {
        .reader = {.doc = {.file = config->file,
                           .text = source->text,
                           .env = source->env,
                           .env_ctx = source->ctx,
                           .arena = config->arena},
                   .source = source},
        .config = config,
        .err = err,
    };
    bool ok = parse_all(&p);
    config->warnings.count = p.warnings.len / sizeof(char *);
    config->warnings.items = (const void *)arena_copy(config->arena, buf_slice(&p.warnings)).ptr;
    buf_free(&p.warnings);
    if (ok)
        return config;
    app_config_free(config);
    return NULL;
}

void app_config_free(struct app_config *config)
{
    if (!config)
        return;
    arena_free(config->arena);
    free(config->arena);
    free(config);
}

unsigned app_config_line(const struct app_config *config, const struct config_pipeline *pipeline,
                         const char *path)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    const struct config_option *wanted = option_find(path);
    for (size_t i = 0; wanted && i < count; i++) {
        const unsigned *lines =
            options[i].scope == OPTION_PROCESS ? config->lines : pipeline->lines;
        if (options[i].scope == wanted->scope && options[i].offset == wanted->offset && lines[i])
            return lines[i];
    }
    return 0;
}

const struct config_pipeline *app_config_pipeline(const struct app_config *config, const char *name)
{
    for (size_t i = 0; i < config->pipeline_count; i++)
        if (strcmp(config->pipelines[i].name, name) == 0)
            return &config->pipelines[i];
    return NULL;
}
