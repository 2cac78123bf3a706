#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "app/command.h"
#include "app/config.h"
#include "app/daemon.h"
#include "app/engine.h"
#include "app/logging.h"

/* What a command that works with a configuration holds: opened in this order, closed in the
 * other. Every function that fails leaves it to session_close. */
struct session {
    const struct command_line *line;
    char *file;
    struct app_config *config;
    bool background;
    struct pid_file *pid_file;
    struct logging *logging;
    const struct log *log; /* "caes" */
    struct io_loop *loop;
    struct io_loop **more; /* one for each further worker that is used */
    size_t more_count;
    bool spread; /* engines go to all of the configuration's workers */
    struct engine **engines;
    size_t engine_count;
    int64_t since; /* that the next engine starts from; 0: the checkpoint */
};

/* Reads the configuration; checks --pipeline, and that --since, a version of one pipeline, is for
 * one. */
MUST_USE bool session_open(struct session *s, const struct command_line *line, struct err *err);
/* Takes the pid file's lock: for who works on the state. ERR_RUNNING. */
MUST_USE bool session_lock(struct session *s, struct err *err);
MUST_USE bool session_log(struct session *s, struct err *err);
/* Logs what the configuration asks of a daemon in vain. */
void session_warn(const struct session *s);
/* A loop for the engine and what listens beside it. */
MUST_USE bool session_loop(struct session *s, struct err *err);
/* The pipeline that is meant: that of --pipeline, or the only one. NULL: there are several. */
const struct config_pipeline *session_pipeline(const struct session *s, struct err *err);
/* Makes the engine of every pipeline, or of that of --pipeline. */
MUST_USE bool session_engines(struct session *s, bool with_state, struct err *err);
/* Makes engines[0], for the pipeline that is meant. */
MUST_USE bool session_engine(struct session *s, bool with_state, struct err *err);
/* Frees the engines; --since goes on to the next one if it still counts. */
void session_end_engines(struct session *s);
/* The configuration as the file has it now: for session_use, or to be freed. */
MUST_USE struct app_config *session_read(const struct session *s, struct err *err);
/* Goes on with another configuration, which it takes, and engines by it; the last ones must have
 * ended. False: it has still the old configuration, and no engine. */
MUST_USE bool session_use(struct session *s, struct app_config *config, struct err *err);
void session_close(struct session *s);

#endif
