#ifndef STORE_PAUSE_H
#define STORE_PAUSE_H

#include "store/store.h"

/* Whether somebody has paused a pipeline: kept over restarts. */

/* *since_us: since when, µs since 1970; 0: it is not paused. */
MUST_USE bool store_pause_read(struct store *store, int64_t pipeline, int64_t *since_us,
                               struct err *err);
MUST_USE bool store_pause_write(struct store *store, int64_t pipeline, int64_t since_us,
                                struct err *err);

#endif
