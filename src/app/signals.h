#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include "app/engine.h"

/* SIGTERM and SIGINT end what the engine does between two batches; the second ends the process. */
struct signals;

struct signals *signals_stop(struct io_loop *loop, struct engine *engine);
/* While the engine is still there. */
void signals_close(struct signals *signals);

#endif
