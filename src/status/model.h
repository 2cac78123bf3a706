#ifndef STATUS_MODEL_H
#define STATUS_MODEL_H

#include "base/buf.h"
#include "status/snapshot.h"

/* For page_model.c: an object of JSON whose values are words. Commas come by themselves. */
struct model {
    const struct status_snapshot *s;
    int64_t age_us, now_us;
    struct buf *out;
    struct buf words; /* of the value that is being made */
};

/* "name":{ or "name":[, name NULL within an array; and its end. */
void model_open(struct model *m, const char *name, const char *bracket);
void model_close(struct model *m, char bracket);
/* NULL becomes "". */
void model_text(struct model *m, const char *name, const char *value);
/* What was appended to words, which are empty again afterwards. */
void model_words(struct model *m, const char *name);
void model_count(struct model *m, const char *name, int64_t value);
void model_duration(struct model *m, const char *name, int64_t us);
void model_clock(struct model *m, const char *name, int64_t us);
void model_iso(struct model *m, const char *name, int64_t us);
/* There where value is true only. */
void model_flag(struct model *m, const char *name, bool value);

#endif
