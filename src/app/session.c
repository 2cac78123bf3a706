#include "app/session.h"

#include "app/logging_config.h"
#include "app/pid_file.h"

#include <stdlib.h>
#include <string.h>

static bool check_pipeline(const struct session *s, struct err *err)
{
    const char *name = s->line->values[OPT_PIPELINE];
    if (!name || app_config_pipeline(s->config, name))
        return true;
    return err_set(err, ERR_CONFIG, "there is no pipeline \"%.60s\" in %s; it has \"%.60s\"", name,
                   s->file, s->config->pipelines[0].name);
}

bool session_open(struct session *s, const struct command_line *line, struct err *err)
{
    *s = (struct session){.line = line, .since = line->since};
    s->file = app_config_find(line->values[OPT_CONFIG], err);
    s->config = s->file ? app_config_load(s->file, err) : NULL;
    return s->config && check_pipeline(s, err);
}

bool session_lock(struct session *s, struct err *err)
{
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

bool session_engine(struct session *s, bool with_state, struct err *err)
{
    s->engine =
        engine_new(s->loop, s->config, with_state, logging_get(s->logging, "caes.pipeline"), err);
    if (s->engine && with_state && s->since)
        engine_start_from(s->engine, s->since);
    return s->engine != NULL;
}

void session_end_engine(struct session *s)
{
    struct engine *engine = s->engine;
    if (!engine)
        return;
    s->since = engine_since(engine);
    s->engine = NULL; /* before its end: what is on the loop still runs */
    engine_free(engine);
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
    if (config && same_places(s, config, err)) {
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
    if (session_engine(s, true, err) && logging_apply(s->logging, config->logging, err)) {
        app_config_free(old);
        session_warn(s);
        return true;
    }
    session_end_engine(s);
    s->config = old;
    app_config_free(config);
    return false;
}

void session_close(struct session *s)
{
    session_end_engine(s);
    io_loop_free(s->loop);
    logging_close(s->logging);
    pid_file_release(s->pid_file);
    app_config_free(s->config);
    free(s->file);
    *s = (struct session){0};
}
