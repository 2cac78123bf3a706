#ifndef APP_ENGINE_H
#define APP_ENGINE_H

#include "app/config.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metric.h"
#include "io/task.h"
#include "job/check_finding.h"
#include "job/verify.h"
#include "pipeline/pipeline.h"
#include "store/dead_letter.h"

/* The engine as a configuration describes it: clients, state and pipeline together. */
struct engine;

/* Where an engine is: its loop, which may be on a thread of its own while engine_run runs, and the
 * engines that are open already: one on the same loop whose pipeline has the same settings of
 * connections shares them. They end in any order. */
struct engine_place {
    struct io_loop *loop;
    struct io_loop *home; /* of who calls the engine, and of engine_client's functions */
    struct engine *const *others;
    size_t other_count;
    const struct log *log; /* of connections */
};

/* For one pipeline of config. Opens its state (ERR_STATE, ERR_RUNNING) when with_state. Loops,
 * config and logs are borrowed for its life, and that of engines that share its connections. All
 * functions are for the thread of home. */
MUST_USE struct engine *engine_new(const struct engine_place *place,
                                   const struct app_config *config,
                                   const struct config_pipeline *pipeline, bool with_state,
                                   const struct log *log, struct err *err);
/* Closes everything and runs the loop, with all else that is on it, until it is closed. */
void engine_free(struct engine *engine);

const struct config_pipeline *engine_settings(const struct engine *engine);

/* Starts from this version until a cycle of engine_run is complete. */
void engine_start_from(struct engine *engine, int64_t since);
/* That version while it still counts, else 0. */
int64_t engine_since(const struct engine *engine);

/* The daemon's own last comparison of both stores. */
struct engine_verified {
    int64_t started_us, at_us; /* wall clock; 0: never */
    int64_t compared, mended;
    int64_t differences; /* that are left */
    struct err failure;  /* why it could not be made, or ERR_NONE */
    bool running;
    int said; /* lines in the log about what could not be mended */
};

/* How a server behaves towards the daemon, from its answers to requests. */
struct engine_server {
    bool known, up;     /* it was asked; it answers, as far as is known */
    struct err failure; /* what requests fail by, for a passing reason; ERR_NONE: they don't */
    int64_t failing_since_us; /* wall clock */
    int64_t silent_us;        /* requests wait and none was answered, for so long; 0: none waits */
    char release[32];         /* its version; "": not known yet */
};

struct engine_status {
    struct pipeline_status pipeline;
    struct engine_verified verified;
    struct err failure;              /* of the last cycle; ERR_NONE: it was complete */
    int64_t failing_since_us;        /* the first of the failed ones in a row, wall clock */
    int64_t paused_us;               /* somebody has paused it since then, wall clock; 0: nobody */
    bool completed;                  /* a cycle of this engine was */
    int64_t cycle_us;                /* the present cycle runs for so long; -1: none runs */
    int64_t quiet_us;                /* since a request was acknowledged, or a cycle complete */
    struct engine_server servers[2]; /* by enum metric_server */
};
void engine_status(const struct engine *engine, struct engine_status *out);

/* Adds what was measured since the engine's start: requests, retries, cycles. */
void engine_metrics_add(const struct engine *engine, struct metric_set *sum);
/* The dead letters, first by key; at most limit. Errors: ERR_STATE. */
MUST_USE bool engine_letters(const struct engine *engine, uint32_t limit, store_dead_fn *fn,
                             void *ctx, struct err *err);

/* Ends engine_run and engine_sync between two batches; callable from the loop's callbacks. */
void engine_stop(struct engine *engine);

/* One cycle, and more while keys are put off. Blocks. The report adds all of them up. */
MUST_USE bool engine_sync(struct engine *engine, struct pipeline_report *report, struct err *err);
/* Cycles of each, every interval, until each was stopped (engine_stop). False: the own state of one
 * can't go on (ERR_STATE), which stops all. Blocks. At least one engine, all of one home; each
 * other loop gets a thread meanwhile. */
MUST_USE bool engine_run(struct engine *const *engines, size_t count, struct err *err);
/* What `init` does; said and created as in job/init.h. Blocks. */
MUST_USE bool engine_init(struct engine *engine, bool dry_run, struct buf *said, int *created,
                          struct err *err);
/* What `check` does, as job/check.h. Blocks. */
MUST_USE bool engine_check(struct engine *engine, struct check_findings *findings, struct err *err);

/* What `verify` does; the engine needs no state. Fills stores, folder, lag_ms and stop of options.
 * Blocks. */
MUST_USE bool engine_verify(struct engine *engine, struct job_verify *options,
                            struct job_verify_report *report, struct err *err);

/* A command beside the cycles, or without any: `dlq`, for example. Its answer is lines of JSON. */
struct engine_job;
struct engine_client {
    /* A line that is not the last: an object that begins with "progress" or "item". Called in the
     * job's task: may make it wait. */
    void (*line)(void *ctx, struct slice line);
    /* Once, at last: result is the last line and err NULL, or the other way round. */
    void (*ended)(void *ctx, struct slice result, const struct err *err);
};
/* request: a JSON object with "command", copied. NULL: no such command, or engine_run has ended
 * it; client is not called. The
 * job is gone once it has ended. */
struct engine_job *engine_job_start(struct engine *engine, const struct json_node *request,
                                    const struct engine_client *client, void *ctx);
/* It ends soon, with ERR_CANCELLED or because it was done. */
void engine_job_cancel(struct engine_job *job);
/* The same, blocking, for who has the engine alone. */
MUST_USE bool engine_perform(struct engine *engine, struct slice request,
                             void (*line)(void *ctx, struct slice line), void *ctx,
                             struct buf *result, struct err *err);

#endif
