#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* How far a job is: a bar on a terminal, a line every 5 s elsewhere (both on stderr), or the JSON
 * lines themselves on stdout. */
struct progress {
    bool json, terminal;
    int64_t told_us;
    size_t shown; /* columns of the bar that stands there */
    struct json_doc *doc;
    /* Appends words for the members of a progress object. */
    void (*words)(const struct json_node *progress, struct buf *out);
};

void progress_open(struct progress *progress, bool json,
                   void (*words)(const struct json_node *progress, struct buf *out));
/* {"progress":{…}}; "share" (0 to 1) of it draws the bar. */
void progress_line(struct progress *progress, struct slice line);
/* A line of its own, also while the bar stands there. */
void progress_note(struct progress *progress, struct slice text);
/* Removes the bar: what follows starts on a clean line. */
void progress_close(struct progress *progress);

/* A member as a number with thousands separated; 0 where there is none. */
int64_t progress_number(const struct json_node *progress, const char *name);
double progress_real(const struct json_node *progress, const char *name);
void progress_append_count(struct buf *out, int64_t count);

#endif
