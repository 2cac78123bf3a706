#ifndef STORE_TIMES_H
#define STORE_TIMES_H

#include "store/store.h"

/* Times of a pipeline that are kept over restarts, µs since 1970. */
enum store_time {
    STORE_PAUSED,   /* since when somebody has paused it; 0: it is not paused */
    STORE_COMPARED, /* when the daemon last compared both stores by itself, or began to count the
                       time up to the first time; 0: never */
};
MUST_USE bool store_time_read(struct store *store, int64_t pipeline, enum store_time which,
                              int64_t *us, struct err *err);
MUST_USE bool store_time_write(struct store *store, int64_t pipeline, enum store_time which,
                               int64_t us, struct err *err);

#endif
