#include "status/model.h"

#include "base/json.h"
#include "status/words.h"

static void comma(struct model *m)
{
    const char last = m->out->len ? m->out->ptr[m->out->len - 1] : '{';
    if (last != '{' && last != '[')
        buf_append_char(m->out, ',');
}

void model_open(struct model *m, const char *name, const char *bracket)
{
    comma(m);
    if (name)
        buf_printf(m->out, "\"%s\":", name);
    buf_append_str(m->out, bracket);
}

void model_text(struct model *m, const char *name, const char *value)
{
    model_open(m, name, "");
    json_append_parsed(m->out, slice_str(value ? value : ""));
}

void model_words(struct model *m, const char *name)
{
    model_text(m, name, buf_cstr(&m->words));
    buf_clear(&m->words);
}

void model_count(struct model *m, const char *name, int64_t value)
{
    status_append_count(&m->words, value);
    model_words(m, name);
}

void model_duration(struct model *m, const char *name, int64_t us)
{
    status_append_duration(&m->words, us);
    model_words(m, name);
}

void model_clock(struct model *m, const char *name, int64_t us)
{
    status_append_clock(&m->words, us, m->now_us);
    model_words(m, name);
}

void model_iso(struct model *m, const char *name, int64_t us)
{
    status_append_iso(&m->words, us);
    model_words(m, name);
}

void model_flag(struct model *m, const char *name, bool value)
{
    if (value)
        model_open(m, name, "true");
}

void model_close(struct model *m, char bracket)
{
    buf_append_char(m->out, bracket);
}
