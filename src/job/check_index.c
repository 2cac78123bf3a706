#include "job/check_context.h"
#include "source/await.h"

static void missing(struct check *check, const struct err *err)
{
    if (err->code != ERR_NOT_FOUND) {
        check_failed(check, check->index_where, "looking at the index", err);
        return;
    }
    check_add(check->findings, CHECK_ERROR, check->index_where,
              "create it (caes-sync init does), or mend ElasticSearchConfig.index",
              "there is no such index");
}

/* The name may be that of an alias or data stream: the answer is keyed by the indices behind it. */
static bool judge_name(struct check *check, const struct json_node *answer)
{
    const struct json_node *first = json_first(answer);
    const struct json_node *stream = json_member(first, "data_stream");
    if (stream) {
        check_add(
            check->findings, CHECK_ERROR, check->index_where, "sync an ordinary index",
            "is a data stream: its documents can't be replaced, and a new index takes over from "
            "time to time");
        return false;
    }
    if (answer->children > 1) {
        check_add(check->findings, CHECK_ERROR, check->index_where,
                  "name one index; each index takes a pipeline of its own",
                  "stands for %u indices, among them %.*s", answer->children,
                  SLICE_ARG(first->key));
        return false;
    }
    if (!slice_is(first->key, check->options->index))
        check_add(check->findings, CHECK_INFO, check->index_where,
                  "run caes-sync load when the alias moves to another index", "is an alias of %.*s",
                  SLICE_ARG(first->key));
    return true;
}

static const struct json_node *typed_mapping(struct check *check, const struct json_node *mappings)
{
    const char *type = check->options->type ? check->options->type : "doc";
    const struct json_node *mapping = json_member(mappings, type);
    if (mapping)
        return mapping;
    check_add(check->findings, CHECK_ERROR, check->index_where,
              "mend ElasticSearchConfig.type, or put a mapping for it",
              "has no type \"%s\" but \"%.*s\"", type, SLICE_ARG(json_first(mappings)->key));
    return NULL;
}

static void find_mapping(struct check *check)
{
    const struct json_node *mappings = json_member(check->index, "mappings");
    if (!mappings || mappings->type != JSON_OBJECT)
        return;
    if (es_client_version(check->elasticsearch)->typed && mappings->children > 0)
        mappings = typed_mapping(check, mappings);
    check->mapping = mappings;
    if (mappings)
        check->have |= CHECK_MAPPING;
}

void check_index(struct check *check)
{
    struct err err = {0};
    if (!await_es_ask(check->elasticsearch, "/{index}", NULL, check->index_doc, &check->index_text,
                      &err)) {
        missing(check, &err);
        return;
    }
    const struct json_node *answer = json_root(check->index_doc);
    if (answer->type != JSON_OBJECT || answer->children == 0) {
        err_set(&err, ERR_NOT_FOUND, "no index");
        missing(check, &err);
        return;
    }
    if (!judge_name(check, answer))
        return;
    check->index = json_first(answer);
    check->have |= CHECK_INDEX | CHECK_SEARCHABLE;
    find_mapping(check);
}
