#ifndef APP_ENGINE_INTERNAL_H
#define APP_ENGINE_INTERNAL_H

#include "app/engine.h"
#include "base/arena.h"
#include "base/json.h"
#include "job/crew.h"
#include "job/verify.h"

/* For the files of the engine only. */

/* Signs of life (engine_vitals.c). Monotonic times but for failing_since_us. */
struct engine_vitals {
    struct metric_set metrics;
    struct {
        unsigned waiting;         /* requests */
        int64_t heard_us;         /* the last answer, or when the first of them was sent */
        bool known, answers;      /* the last one was answered */
        struct err failure;       /* ERR_NONE: the last one was not refused for a passing reason */
        int64_t failing_since_us; /* wall clock */
    } servers[2];
    int64_t progress_us; /* a request was acknowledged, or a cycle complete */
    int64_t cycle_us;    /* when the present one began; 0: none runs */
    bool completed;
};

struct cql_watch engine_cql_watch(struct engine *e);
struct es_watch engine_es_watch(struct engine *e);
void engine_cycle_begins(struct engine *e);
void engine_cycle_ends(struct engine *e, bool complete, const struct err *err);

struct engine {
    const struct app_config *config;
    const struct config_pipeline *settings;
    const struct log *log;
    struct io_loop *loop, *home;
    struct cql_client *cassandra;
    struct es_client *elasticsearch;
    struct store *store;
    struct pipeline *pipeline;
    struct pipeline_options options;
    struct arena arena; /* of options */
    struct io_wake stop;
    struct io_wake halt; /* ends a cycle between two batches: stop is raised, or it is paused */
    int64_t paused_us;   /* since then, wall clock; 0: it is not */
    struct io_lock lock; /* the pipeline belongs to one cycle or one job at a time */
    struct engine_job *jobs;
    struct io_group jobs_running;
    unsigned relays;     /* jobs that were asked for from another thread; home's */
    bool over;           /* engine_run has ended it: there are no more jobs */
    int open;            /* clients that are not closed yet */
    int64_t compared_us; /* from when verify.every counts, wall clock; 0: not yet */
    struct engine_verified verified;
    struct engine_job *self;  /* that compares for verified, or NULL */
    int64_t since;            /* that the cycles start from; 0: the checkpoint */
    struct err failure;       /* of the last cycle */
    int64_t failing_since_us; /* wall clock; 0: it was complete */
    enum err_code told;       /* of failure */
    uint64_t backoff_ms;
    bool cycling;  /* engine_cycles runs */
    bool loading;  /* a job does */
    bool restored; /* what a load that was killed left behind has been looked at */
    struct engine_vitals vitals;
};

/* engine_verify.c: both stores for a job that opens them; what verify takes from the
 * configuration. */
struct job_stores engine_stores(const struct engine *e);
struct job_verify engine_verify_options(const struct engine *e, const struct job_stores *stores);

/* engine_crew.c: threads that help with a job of these stores, as many as workers allows and it can
 * use; NULL: none. For tasks. */
struct job_crew *engine_crew(struct engine *e, const struct job_stores *stores, unsigned most);

/* engine_self.c: after a cycle, starts a comparison of both stores where it is due. */
void engine_self_check(struct engine *e, bool gap);
/* The repair that onGap asks for, waited for. For tasks. */
void engine_close_gap(struct engine *e);

/* engine_pause.c: whether it was paused before. */
MUST_USE bool engine_pause_restore(struct engine *e, struct err *err);
MUST_USE bool engine_self_restore(struct engine *e, struct err *err);
/* False, with ERR_RUNNING: it is paused, and what would copy by itself must not. */
MUST_USE bool engine_may_copy(const struct engine *e, struct err *err);

/* engine_options.c */
void engine_fill_options(struct engine *e);

/* engine_run.c: one cycle while the lock is held, told in the log. */
MUST_USE bool engine_cycle(struct engine *e, bool whole, struct pipeline_report *report,
                           struct err *err);
/* Cycles every interval until stop, or all, is to stop; false: own state can't go on. */
MUST_USE bool engine_cycles(struct engine *e, struct io_wake *stop, struct err *why);
void engine_tell_report(const struct engine *e, const struct pipeline_report *report,
                        int64_t took_us);

/* Runs fn as a task and the loop until it ends. */
typedef bool engine_task_fn(void *ctx, struct err *err);
MUST_USE bool engine_block_on(struct engine *e, engine_task_fn *fn, void *ctx, struct err *err);

/* A command on its way (engine_job.c). */
struct engine_job {
    struct engine *e;
    struct engine_job *next;
    const struct engine_client *client;
    void *ctx;
    struct engine_relay *relay; /* it stands for one on another thread */
    bool (*run)(struct engine_job *job, struct err *err);
    struct buf text; /* of the request */
    struct json_doc *doc;
    const struct json_node *request;
    struct io_wake stop;
    struct buf result; /* the answer's last line */
    struct err err;
    bool fine;
};

/* Raises the stop of all jobs and waits for their end. For tasks. */
void engine_jobs_end(struct engine *e);

/* engine_relay.c: the same where the engine's loop has a thread of its own: its client is called at
 * home. */
struct engine_job *engine_relay_start(struct engine *e, const struct json_node *request,
                                      const struct engine_client *client, void *ctx);
void engine_relay_cancel(struct engine_relay *relay);
/* On the engine's own thread. */
struct engine_job *engine_job_start_here(struct engine *e, const struct json_node *request,
                                         const struct engine_client *client, void *ctx);

/* What a command does, in a task; writes job->result (engine_commands.c). */
typedef bool engine_command_fn(struct engine_job *job, struct err *err);
engine_command_fn engine_load;                 /* engine_load.c */
engine_command_fn engine_pause, engine_resume; /* engine_pause.c */
/* The index's settings, where a load was killed that had changed them. For tasks. */
void engine_restore(struct engine *e);
/* NULL: no such command. */
engine_command_fn *engine_command_find(struct slice name);

#endif
