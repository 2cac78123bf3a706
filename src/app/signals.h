#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include "app/engine.h"

/* SIGTERM and SIGINT end what the engines do between two batches; the second ends the process. */
struct signals;

/* engines are borrowed; they are all on the loop. */
struct signals *signals_stop(struct io_loop *loop, struct engine *const *engines, size_t count);
/* While the engines are still there. */
void signals_close(struct signals *signals);

#endif
