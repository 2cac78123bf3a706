#include "es/version.h"

#include <stdio.h>

/* OpenSearch began as Elasticsearch 7.10. */
static int elasticsearch_level(const struct es_version *v)
{
    return v->opensearch ? 710 : v->major * 100 + v->minor;
}

static void find_capabilities(struct es_version *v)
{
    const int level = elasticsearch_level(v);
    v->typed = level < 700;
    v->underscore_meta = level < 600;
    v->meta_timestamp = level < 500;
    v->string_type = level < 500;
    v->sequence_numbers = level >= 700;
    v->exclude_vectors = level >= 902;
    v->scroll_id_in_body = level >= 200;
    v->snapshot = ES_SCROLL;
    if (!v->opensearch && level >= 710)
        v->snapshot = ES_PIT;
    else if (v->opensearch && v->major * 100 + v->minor >= 204)
        v->snapshot = ES_PIT_OPENSEARCH;
    v->tiebreak = !v->opensearch && level >= 712 ? "_shard_doc" : "_id";
}

bool es_version_parse(struct slice distribution, struct slice number, struct es_version *v,
                      struct err *err)
{
    *v = (struct es_version){.opensearch = slice_is(distribution, "opensearch")};
    snprintf(v->text, sizeof v->text, "%.*s", SLICE_ARG(number));
    if (sscanf(v->text, "%d.%d.%d", &v->major, &v->minor, &v->patch) < 2 || v->major < 0 ||
        v->major > 1000 || v->minor < 0 || v->minor > 99)
        return err_set(err, ERR_PROTOCOL, "server tells no version that is one: \"%s\"", v->text);
    if (!v->opensearch && v->major * 100 + v->minor < 107)
        return err_set(err, ERR_CONFIG, "Elasticsearch %s is too old; 1.7 is the oldest known",
                       v->text);
    find_capabilities(v);
    return true;
}
