#include "app/session.h"

#include "app/config_tls.h"
#include "app/logging_config.h"
#include "app/pid_file.h"
#include "base/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void append_names(const struct app_config *config, struct buf *out)
{
    for (size_t i = 0; i < config->pipeline_count; i++)
        buf_printf(out, "%s\"%s\"", i ? ", " : "", config->pipelines[i].name);
}

static bool check_pipeline(const struct session *s, const struct app_config *config,
                           struct err *err)
{
    const char *name = s->line->values[OPT_PIPELINE];
    if (!name || app_config_pipeline(config, name))
        return true;
    struct buf names = {0};
    append_names(config, &names);
    err_set(err, ERR_CONFIG, "there is no pipeline \"%.60s\" in %s; it has %s", name, s->file,
            buf_cstr(&names));
    buf_free(&names);
    return false;
}

const struct config_pipeline *session_pipeline(const struct session *s, struct err *err)
{
    const char *name = s->line->values[OPT_PIPELINE];
    if (name)
        return app_config_pipeline(s->config, name);
    if (s->config->pipeline_count == 1)
        return &s->config->pipelines[0];
    struct buf names = {0};
    append_names(s->config, &names);
    err_set(err, ERR_CONFIG, "which pipeline? Choose one with --pipeline: %s has %s", s->file,
            buf_cstr(&names));
    buf_free(&names);
    return NULL;
}

bool session_open(struct session *s, const struct command_line *line, struct err *err)
{
    *s = (struct session){.line = line, .since = line->since};
    s->file = app_config_find(line->values[OPT_CONFIG], err);
    s->config = s->file ? app_config_load(s->file, err) : NULL;
    return s->config && check_pipeline(s, s->config, err) &&
           (!s->since || session_pipeline(s, err));
}

/* What root makes where the service has its state would be out of the service's reach. */
static bool check_user(const struct session *s, struct err *err)
{
    static const char services[] = "/var/lib/caes-sync";
    struct stat folder;
    const char *path = s->config->state_folder;
    if (geteuid() != 0 || strncmp(path, services, sizeof services - 1) != 0 ||
        stat(path, &folder) != 0 || folder.st_uid == 0)
        return true;
    const struct passwd *owner = getpwuid(folder.st_uid);
    return err_set(err, ERR_CONFIG,
                   "%s is of user %s: do this as that user, by sudo -u or runuser -u", path,
                   owner ? owner->pw_name : "that it belongs to");
}

bool session_lock(struct session *s, struct err *err)
{
    if (!check_user(s, err))
        return false;
    s->pid_file = pid_file_lock(s->config->pid_file, err);
    return s->pid_file != NULL;
}

/* A background process has no stderr: without a logging section its lines go beside the state. */
static void choose_log(const struct session *s, struct app_config *config)
{
    if (!s->background || config->has_logging || config->log.file)
        return;
    struct logging_config *beside = logging_config_default(
        config->arena, (enum log_level)config->log.level, config->background_log, config->file);
    beside->json = config->log.format == CONFIG_LOG_JSON;
    config->logging = beside;
}

void session_warn(const struct session *s)
{
    for (size_t i = 0; i < s->config->warnings.count; i++)
        log_warning(s->log, "%s", s->config->warnings.items[i]);
}

bool session_log(struct session *s, struct err *err)
{
    const struct logging_options options = {.level = s->line->log_level};
    choose_log(s, s->config);
    s->logging = logging_open(s->config->logging, &options, err);
    if (!s->logging)
        return false;
    s->log = logging_get(s->logging, "caes");
    return true;
}

bool session_loop(struct session *s, struct err *err)
{
    s->loop = io_loop_new(err);
    return s->loop != NULL;
}

/* Lines of one among several are found by their logger. */
static const struct log *log_of(const struct session *s, const struct config_pipeline *pipeline)
{
    char name[100];
    const bool several = s->config->pipeline_count > 1;
    snprintf(name, sizeof name, "caes.pipeline%s%s", several ? "." : "",
             several ? pipeline->name : "");
    return logging_get(s->logging, name);
}

/* The first worker is the thread that listens. */
static struct io_loop *loop_of(struct session *s, size_t number, struct err *err)
{
    const size_t worker = s->spread ? number % (size_t)s->config->workers : 0;
    if (worker == 0)
        return s->loop;
    if (worker > s->more_count) {
        struct io_loop *loop = io_loop_new(err);
        if (!loop)
            return NULL;
        s->more = mem_realloc(s->more, worker * sizeof(struct io_loop *));
        s->more[s->more_count++] = loop;
    }
    return s->more[worker - 1];
}

static bool add_engine(struct session *s, const struct config_pipeline *pipeline, bool with_state,
                       struct err *err)
{
    const struct engine_place place = {.loop = loop_of(s, s->engine_count, err),
                                       .home = s->loop,
                                       .others = s->engines,
                                       .other_count = s->engine_count,
                                       .log = logging_get(s->logging, "caes.pipeline")};
    struct engine *engine =
        place.loop ? engine_new(&place, s->config, pipeline, with_state, log_of(s, pipeline), err)
                   : NULL;
    if (!engine)
        return false;
    if (with_state && s->since)
        engine_start_from(engine, s->since);
    s->engines = mem_realloc(s->engines, (s->engine_count + 1) * sizeof(struct engine *));
    s->engines[s->engine_count++] = engine;
    return true;
}

bool session_engines(struct session *s, bool with_state, struct err *err)
{
    if (s->line->values[OPT_PIPELINE])
        return session_engine(s, with_state, err);
    for (size_t i = 0; i < s->config->pipeline_count; i++)
        if (!add_engine(s, &s->config->pipelines[i], with_state, err))
            return false;
    return true;
}

bool session_engine(struct session *s, bool with_state, struct err *err)
{
    const struct config_pipeline *pipeline = session_pipeline(s, err);
    return pipeline && add_engine(s, pipeline, with_state, err);
}

void session_end_engines(struct session *s)
{
    const size_t count = s->engine_count;
    if (count > 0)
        s->since = engine_since(s->engines[0]); /* is for one pipeline only */
    s->engine_count = 0; /* before their end: what is on the loop still runs */
    for (size_t i = 0; i < count; i++)
        engine_free(s->engines[i]);
    free(s->engines);
    s->engines = NULL;
}

/* The lock is held and the state open: they can't move under way. */
static bool same_places(const struct session *s, const struct app_config *config, struct err *err)
{
    if (strcmp(s->config->state, config->state) == 0 &&
        strcmp(s->config->pid_file, config->pid_file) == 0)
        return true;
    return err_set(err, ERR_CONFIG, "%s: state and pidFile can't change while running; restart",
                   s->file);
}

struct app_config *session_read(const struct session *s, struct err *err)
{
    struct app_config *config = app_config_load(s->file, err);
    if (config && same_places(s, config, err) && check_pipeline(s, config, err) &&
        config_tls_check(config, NULL, err)) {
        choose_log(s, config);
        return config;
    }
    app_config_free(config);
    return NULL;
}

bool session_use(struct session *s, struct app_config *config, struct err *err)
{
    struct app_config *old = s->config;
    s->config = config;
    if (session_engines(s, true, err) && logging_apply(s->logging, config->logging, err)) {
        app_config_free(old);
        session_warn(s);
        return true;
    }
    session_end_engines(s);
    s->config = old;
    app_config_free(config);
    return false;
}

void session_close(struct session *s)
{
    session_end_engines(s);
    for (size_t i = 0; i < s->more_count; i++)
        io_loop_free(s->more[i]);
    free(s->more);
    io_loop_free(s->loop);
    logging_close(s->logging);
    pid_file_release(s->pid_file);
    app_config_free(s->config);
    free(s->file);
    *s = (struct session){0};
}
