#include "app/config_aws.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define AWS "ElasticSearchConfig.aws."

struct aws {
    struct config_reader *r;
    struct config_elasticsearch *es;
    const struct config_seen *seen;
    const struct config_node *place; /* the section's first key */
    struct err *err;
};

static bool fail(const struct aws *a, const char *path, const char *what)
{
    const struct config_node *node = path ? config_seen_at(a->seen, path) : NULL;
    return config_fail(&a->r->doc, node ? node : a->place, NULL, a->err, "%s", what);
}

static const char *variable(const struct aws *a, const char *name)
{
    const struct config_source *source = a->r->source;
    const char *value = source->env ? source->env(source->ctx, name) : NULL;
    return value && value[0] ? arena_copy(a->r->doc.arena, slice_str(value)).ptr : NULL;
}

/* --- the file --- */

static struct slice trimmed(struct slice s)
{
    while (s.len && isspace((unsigned char)s.ptr[0]))
        s = slice_of(s.ptr + 1, s.len - 1);
    while (s.len && isspace((unsigned char)s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static void take_setting(const struct aws *a, struct slice name, struct slice value)
{
    const char *copy = arena_copy(a->r->doc.arena, value).ptr;
    if (slice_is(name, "aws_access_key_id"))
        a->es->aws.access_key = copy;
    else if (slice_is(name, "aws_secret_access_key"))
        a->es->aws.secret_key = copy;
    else if (slice_is(name, "aws_session_token"))
        a->es->aws.session_token = copy;
}

/* "[profile]" and "name = value", as the AWS tools write them. */
static void take_line(const struct aws *a, struct slice line, bool *inside)
{
    line = trimmed(line);
    if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
        return;
    if (line.ptr[0] == '[' && line.ptr[line.len - 1] == ']') {
        *inside = slice_is(trimmed(slice_of(line.ptr + 1, line.len - 2)), a->es->aws.profile);
        return;
    }
    const char *equals = memchr(line.ptr, '=', line.len);
    if (!*inside || !equals)
        return;
    const size_t name = (size_t)(equals - line.ptr);
    take_setting(a, trimmed(slice_of(line.ptr, name)),
                 trimmed(slice_of(equals + 1, line.len - name - 1)));
}

static bool take_file(const struct aws *a)
{
    const struct config_source *source = a->r->source;
    struct buf text = {0};
    struct err why = {0};
    bool inside = false;
    if (!source->secret_file ||
        !source->secret_file(source->ctx, a->es->aws.credentials_file, &text, &why)) {
        buf_free(&text);
        return config_fail(&a->r->doc, config_seen_at(a->seen, AWS "credentialsFile"), NULL, a->err,
                           "can't read that file (%s); name a readable one", why.text);
    }
    for (size_t at = 0; at < text.len;) {
        const char *end = memchr(text.ptr + at, '\n', text.len - at);
        const size_t len = end ? (size_t)(end - text.ptr) - at : text.len - at;
        take_line(a, slice_of(text.ptr + at, len), &inside);
        at += len + 1;
    }
    if (text.ptr)
        explicit_bzero(text.ptr, text.cap);
    buf_free(&text);
    if (a->es->aws.access_key && a->es->aws.secret_key)
        return true;
    return config_fail(&a->r->doc, config_seen_at(a->seen, AWS "credentialsFile"), NULL, a->err,
                       "has no aws_access_key_id and aws_secret_access_key for profile \"%.60s\"; "
                       "name another file or profile",
                       a->es->aws.profile);
}

/* --- together --- */

static bool take_credentials(const struct aws *a)
{
    struct config_elasticsearch *es = a->es;
    const bool given = es->aws.access_key || es->aws.secret_key || es->aws.session_token;
    if (given && es->aws.credentials_file)
        return fail(a, AWS "credentialsFile", "is given beside credentials; keep one of the two");
    if (given && (!es->aws.access_key || !es->aws.secret_key))
        return fail(a, NULL, "accessKeyId and secretAccessKey belong together; give both");
    if (given)
        return true;
    if (es->aws.credentials_file)
        return take_file(a);
    es->aws.access_key = variable(a, "AWS_ACCESS_KEY_ID");
    es->aws.secret_key = variable(a, "AWS_SECRET_ACCESS_KEY");
    es->aws.session_token = variable(a, "AWS_SESSION_TOKEN");
    return (es->aws.access_key && es->aws.secret_key) ||
           fail(a, NULL,
                "no credentials; give accessKeyId and secretAccessKey, credentialsFile, or the "
                "variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

static bool take_region(const struct aws *a)
{
    const char **region = &a->es->aws.region;
    if (!*region)
        *region = variable(a, "AWS_REGION");
    if (!*region)
        *region = variable(a, "AWS_DEFAULT_REGION");
    if (!*region)
        return fail(a, NULL, "no region; give aws.region, or the variable AWS_REGION");
    return strspn(*region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(*region) ||
           fail(a, AWS "region", "is no region; write it as in eu-central-1");
}

/* curl 7.88 signs escaped paths wrong, so none may need escapes. */
static bool check_path(const struct aws *a)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    const struct config_elasticsearch *es = a->es;
    if (es->index && es->index[strspn(es->index, plain)])
        return fail(a, "ElasticSearchConfig.index",
                    "can't be signed; use letters, digits, - . _ and ~ only");
    if (es->type && es->type[strspn(es->type, plain)])
        return fail(a, "ElasticSearchConfig.type",
                    "can't be signed; use letters, digits, - . _ and ~ only");
    return true;
}

/* A profile, or the service that is the default, are not enough to sign by. */
static const struct config_node *first_key(const struct config_seen *seen,
                                           const struct config_elasticsearch *es)
{
    static const char *const keys[] = {AWS "region",          AWS "accessKeyId",
                                       AWS "secretAccessKey", AWS "sessionToken",
                                       AWS "credentialsFile", AWS "service"};
    const size_t count = ARRAY_LEN(keys) - (es->aws.service == CONFIG_AWS_ES);
    const struct config_node *first = NULL;
    for (size_t i = 0; i < count && !first; i++)
        first = config_seen_at(seen, keys[i]);
    return first;
}

bool config_aws_complete(struct config_reader *r, struct config_pipeline *pipeline,
                         const struct config_seen *seen, struct err *err)
{
    struct config_elasticsearch *es = &pipeline->es;
    const struct aws a = {r, es, seen, first_key(seen, es), err};
    if (!a.place)
        return true;
    if (es->username || es->api_key)
        return fail(&a, NULL, "another login is given too; keep one of them");
    return take_credentials(&a) && take_region(&a) && check_path(&a);
}
