#ifndef APP_PROCESS_H
#define APP_PROCESS_H

#include "base/metric.h"

/* The process's own metrics, as of now. */
void process_measure(struct metric_set *set, int64_t started_us);

#endif
