#ifndef STATUS_PLOT_H
#define STATUS_PLOT_H

#include "base/buf.h"
#include "status/snapshot.h"

/* The lag of the last hour as paths of SVG, 240 wide and 50 high, the present at the right. */
struct plot {
    struct buf line, area;
    struct buf values; /* in seconds, oldest first, separated by blanks */
    double limit;      /* where ready_lag_us lies from above; below 0: out of the picture */
    double peak_s;     /* the highest */
};

void plot_make(const struct status_pipeline *pipeline, enum metric_direction direction,
               struct plot *plot);
void plot_free(struct plot *plot);

#endif
