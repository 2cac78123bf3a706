#include "status/plot.h"

enum { WIDTH = STATUS_HISTORY_POINTS, HEIGHT = 50, HEADROOM = 2 };

/* A quiet pair's saw-tooth stays in the lower half; a lag beyond that fills the picture. */
static double scale_of(const struct status_pipeline *p, double peak_s)
{
    const double least = 2 * ((double)p->interval_us / 1e6 + 1);
    return peak_s > least ? peak_s : least;
}

void plot_make(const struct status_pipeline *p, enum metric_direction direction, struct plot *plot)
{
    const struct status_history *h = &p->history;
    *plot = (struct plot){.limit = -1};
    for (size_t i = 0; i < h->count; i++) {
        if (h->points[i][direction].lag_s > plot->peak_s)
            plot->peak_s = h->points[i][direction].lag_s;
    }
    const double scale = scale_of(p, plot->peak_s);
    const double limit_s = (double)p->ready_lag_us / 1e6;
    if (limit_s <= scale)
        plot->limit = HEIGHT - limit_s / scale * (HEIGHT - HEADROOM);
    const size_t first = WIDTH - h->count;
    for (size_t i = 0; i < h->count; i++) {
        const double lag_s = h->points[i][direction].lag_s;
        const double y = HEIGHT - lag_s / scale * (HEIGHT - HEADROOM);
        const size_t x = (first + i) * WIDTH / (WIDTH - 1);
        buf_printf(&plot->line, "%s%zu %.1f", i ? "L" : "M", x, y);
        buf_printf(&plot->values, "%s%.3g", i ? " " : "", lag_s);
        if (i == 0)
            buf_printf(&plot->area, "M%zu %d", x, HEIGHT);
        buf_printf(&plot->area, "L%zu %.1f", x, y);
    }
    if (h->count)
        buf_printf(&plot->area, "L%d %dZ", WIDTH, HEIGHT);
}

void plot_free(struct plot *plot)
{
    buf_free(&plot->line);
    buf_free(&plot->area);
    buf_free(&plot->values);
}
