#include "app/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* In pages; 0 where /proc is not there. */
static void measure_memory(struct metric_set *set)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%llu %llu", &size, &resident) != 2) // NOLINT(cert-err34-c): the kernel's
        size = resident = 0;
    if (f)
        fclose(f);
    const double page = (double)sysconf(_SC_PAGESIZE);
    metric_put(set, METRIC_VIRTUAL, 0, 0, (double)size * page);
    metric_put(set, METRIC_RESIDENT, 0, 0, (double)resident * page);
}

static void measure_descriptors(struct metric_set *set)
{
    struct rlimit limit;
    double open = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) // NOLINT(concurrency-mt-unsafe): our own stream
        open++;
    if (d)
        closedir(d);
    metric_put(set, METRIC_OPEN_FDS, 0, 0, open > 3 ? open - 3 : 0); /* . .. and this one */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_put(set, METRIC_MAX_FDS, 0, 0, (double)limit.rlim_cur);
}

void process_measure(struct metric_set *set, int64_t started_us)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metric_put(set, METRIC_CPU, 0, 0, seconds(usage.ru_utime) + seconds(usage.ru_stime));
    measure_memory(set);
    measure_descriptors(set);
    metric_put(set, METRIC_STARTED, 0, 0, (double)started_us / 1e6);
    metric_put(set, METRIC_BUILD_INFO, 0, 0, 1);
}
