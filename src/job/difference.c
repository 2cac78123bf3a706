#include "job/difference.h"

static const char *const kinds[] = {
#define JOB_KIND_TEXT(name, text) [JOB_##name] = text,
    JOB_KINDS(JOB_KIND_TEXT)
#undef JOB_KIND_TEXT
};

const char *job_kind_text(enum job_kind kind)
{
    return kinds[kind];
}

static void append_number(struct buf *out, const char *name, int64_t number)
{
    if (number)
        buf_printf(out, ",\"%s\":%lld", name, (long long)number);
    else
        buf_printf(out, ",\"%s\":null", name);
}

void job_difference_append(struct buf *out, const struct job_difference *d)
{
    buf_append_char(out, '{');
    json_append_member(out, "key", d->key);
    buf_printf(out, ",\"kind\":\"%s\"", kinds[d->kind]);
    append_number(out, "elasticsearch_version", d->elasticsearch_version);
    append_number(out, "cassandra_version", d->cassandra_version);
    append_number(out, "cassandra_write_time", d->cassandra_write_time);
    buf_append_char(out, '}');
}

static int64_t read_number(const struct json_node *node, const char *name)
{
    int64_t number = 0;
    const struct json_node *member = json_member(node, name);
    return member && json_int64(member, &number) ? number : 0;
}

bool job_difference_read(const struct json_node *node, struct job_difference *out)
{
    const struct json_node *key = json_member(node, "key"), *kind = json_member(node, "kind");
    if (!key || key->type != JSON_STRING || !kind)
        return false;
    *out = (struct job_difference){
        .key = key->text,
        .elasticsearch_version = read_number(node, "elasticsearch_version"),
        .cassandra_version = read_number(node, "cassandra_version"),
        .cassandra_write_time = read_number(node, "cassandra_write_time"),
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        out->kind = (enum job_kind)i;
        if (slice_is(kind->text, kinds[i]))
            return true;
    }
    return false;
}
