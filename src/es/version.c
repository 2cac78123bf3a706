#include "es/version.h"

#include <stdio.h>

enum { ANY = 100000, OLDEST = 107 };

static bool within(int level, int from, int before)
{
    return from > 0 && level >= from && level < before;
}

static void find_capabilities(struct es_version *v)
{
    const int level = v->major * 100 + v->minor;
#define FIND(name, from, before, os_from, os_before) \
    v->name = v->opensearch ? within(level, os_from, os_before) : within(level, from, before);
    ES_CAPABILITIES(FIND)
#undef FIND
}

bool es_version_parse(struct slice distribution, struct slice number, struct es_version *v,
                      struct err *err)
{
    *v = (struct es_version){.opensearch = slice_is(distribution, "opensearch")};
    snprintf(v->text, sizeof v->text, "%.*s", SLICE_ARG(number));
    if (sscanf(v->text, "%3d.%2d.%5d", &v->major, &v->minor, &v->patch) < 2 || v->major < 0 ||
        v->minor < 0)
        return err_set(err, ERR_PROTOCOL, "the server tells no version that is one: \"%s\"",
                       v->text);
    if (!v->opensearch && v->major * 100 + v->minor < OLDEST)
        return err_set(err, ERR_CONFIG, "Elasticsearch %s is too old; 1.7 is the oldest known",
                       v->text);
    find_capabilities(v);
    return true;
}
