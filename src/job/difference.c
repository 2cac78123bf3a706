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

static void append_version(struct buf *out, const char *name, int64_t version)
{
    if (version)
        buf_printf(out, ",\"%s\":%lld", name, (long long)version);
    else
        buf_printf(out, ",\"%s\":null", name);
}

void job_difference_append(struct buf *out, const struct job_difference *d)
{
    buf_append_char(out, '{');
    json_append_member(out, "key", d->key);
    buf_printf(out, ",\"kind\":\"%s\"", kinds[d->kind]);
    append_version(out, "elasticsearch_version", d->elasticsearch_version);
    append_version(out, "cassandra_version", d->cassandra_version);
    buf_append_char(out, '}');
}

static int64_t read_version(const struct json_node *node, const char *name)
{
    int64_t version = 0;
    const struct json_node *member = json_member(node, name);
    return member && json_int64(member, &version) ? version : 0;
}

bool job_difference_read(const struct json_node *node, struct job_difference *out)
{
    const struct json_node *key = json_member(node, "key"), *kind = json_member(node, "kind");
    if (!key || key->type != JSON_STRING || !kind)
        return false;
    *out = (struct job_difference){
        .key = key->text,
        .elasticsearch_version = read_version(node, "elasticsearch_version"),
        .cassandra_version = read_version(node, "cassandra_version"),
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        out->kind = (enum job_kind)i;
        if (slice_is(kind->text, kinds[i]))
            return true;
    }
    return false;
}
