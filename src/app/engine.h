#ifndef APP_ENGINE_H
#define APP_ENGINE_H

#include "app/config.h"
#include "base/log.h"
#include "io/task.h"
#include "pipeline/pipeline.h"

/* The engine as a configuration describes it: loop, clients, state and pipeline together. */
struct engine;

/* Opens the state (ERR_STATE, ERR_RUNNING) when with_state. config and log are borrowed for its
 * life. */
MUST_USE struct engine *engine_new(const struct app_config *config, bool with_state,
                                   const struct log *log, struct err *err);
/* Closes everything and runs the loop until it is closed. */
void engine_free(struct engine *engine);

/* Borrowed. The loop is also there for signals and the control socket. */
struct io_loop *engine_loop(struct engine *engine);
/* Starts from this version at the first cycle. */
void engine_start_from(struct engine *engine, int64_t since);
void engine_status(const struct engine *engine, struct pipeline_status *out);

/* Ends engine_run and engine_sync between two batches; callable from the loop's callbacks. */
void engine_stop(struct engine *engine);
bool engine_stopping(const struct engine *engine);

/* One cycle, and more while keys are put off. Blocks. The report adds all of them up. */
MUST_USE bool engine_sync(struct engine *engine, struct pipeline_report *report, struct err *err);
/* Cycles every interval until engine_stop; false: own state can't go on (ERR_STATE). Blocks. */
MUST_USE bool engine_run(struct engine *engine, struct err *err);
/* What `init` does; said and created as in job/init.h. Blocks. */
MUST_USE bool engine_init(struct engine *engine, bool dry_run, struct buf *said, int *created,
                          struct err *err);

#endif
