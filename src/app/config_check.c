#include "app/config_check.h"

#include "app/config_aws.h"
#include "base/buf.h"
#include "sink/query.h"

#include <string.h>

struct check {
    struct config_reader *r;
    struct config_pipeline *p;
    const struct config_seen *seen;
    const struct config_node *place;
    struct err *err;
};

const struct config_node *config_seen_at(const struct config_seen *seen, const char *path)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(options[i].path, path) == 0)
            return seen->at[i];
    return NULL;
}

/* Complains at the first of two options that was given, else at the pipeline. */
static const struct config_node *where(const struct check *c, const char *path, const char *other)
{
    const struct config_node *node = config_seen_at(c->seen, path);
    if (!node && other)
        node = config_seen_at(c->seen, other);
    return node ? node : c->place;
}

static bool check_required(const struct check *c)
{
    size_t count;
    const struct config_option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct config_option *o = &options[i];
        if (!o->required || c->seen->at[i] || (strcmp(o->path, "name") == 0 && c->p->name))
            continue;
        const char *dot = strchr(o->path, '.');
        const struct config_node *section = NULL;
        if (dot) {
            char name[OPTION_PATH_MAX] = {0};
            memcpy(name, o->path, (size_t)(dot - o->path));
            section = config_tree_get(c->place, name);
        }
        return config_fail(&c->r->doc, section ? section : c->place, section ? dot + 1 : o->path,
                           c->err, "is missing; add it (%s)", o->help);
    }
    return true;
}

static bool check_overlap(const struct check *c)
{
    const struct config_overlap *written = &c->p->sync.overlap_written;
    const struct config_node *node = where(c, "sync.overlap", "sync.versionUnit");
    switch (c->p->sync.unit) {
    case CONFIG_UNIT_NONE:
        if (written->has_unit || written->ms % 1000 != 0)
            return config_fail(
                &c->r->doc, node, NULL, c->err,
                "with versionUnit none, overlap is a count of versions; give a plain "
                "number");
        c->p->sync.overlap = written->ms / 1000;
        return true;
    case CONFIG_UNIT_S:
        c->p->sync.overlap = (written->ms + 999) / 1000;
        break;
    case CONFIG_UNIT_MS:
        c->p->sync.overlap = written->ms;
        break;
    case CONFIG_UNIT_US:
        c->p->sync.overlap = written->ms * 1000;
    }
    if (c->p->cassandra.ttl * 1000 <= written->ms)
        return config_fail(&c->r->doc, where(c, "CassandraConfig.ttl", "sync.overlap"), NULL,
                           c->err, "ttl must exceed sync.overlap; make ttl longer");
    if (c->p->es.deleted_field && c->p->es.keep_deleted < written->ms)
        return config_fail(&c->r->doc, where(c, "ElasticSearchConfig.keepDeleted", "sync.overlap"),
                           NULL, c->err,
                           "keepDeleted must be at least sync.overlap; make it longer");
    return true;
}

static bool check_guard(const struct check *c)
{
    bool wall = c->p->sync.unit == CONFIG_UNIT_S || c->p->sync.unit == CONFIG_UNIT_MS;
    if (c->p->cassandra.guard == CONFIG_GUARD_TIMESTAMP && !wall)
        return config_fail(&c->r->doc, where(c, "CassandraConfig.guard", NULL), NULL, c->err,
                           "guard timestamp wants versions in s or ms; set sync.versionUnit, or "
                           "take guard snapshot");
    return true;
}

static bool check_protocol(const struct check *c)
{
    const int64_t version = c->p->cassandra.protocol_version;
    return version == 0 || version > 3 ||
           config_fail(&c->r->doc,
                       where(c, "CassandraConfig.protocolVersion",
                             "CassandraConfig.driver.protocol_version"),
                       NULL, c->err, "only 4 and 5 are spoken; give one of them, or leave it out");
}

static bool check_logins(const struct check *c)
{
    const struct config_elasticsearch *es = &c->p->es;
    const struct config_cassandra *cassandra = &c->p->cassandra;
    const struct config_node *user =
        where(c, "ElasticSearchConfig.username", "ElasticSearchConfig.driver.http_auth");
    if (es->hosts_login && user != c->place)
        return config_fail(&c->r->doc, user, NULL, c->err,
                           "hosts have a login too; give it in one place");
    if (!es->username != !es->password)
        return config_fail(&c->r->doc,
                           where(c, "ElasticSearchConfig.username", "ElasticSearchConfig.password"),
                           NULL, c->err, "username and password belong together; give both");
    if (es->api_key && es->username)
        return config_fail(&c->r->doc, where(c, "ElasticSearchConfig.apiKey", NULL), NULL, c->err,
                           "username is given too; give one of the two");
    if (!cassandra->username != !cassandra->password)
        return config_fail(&c->r->doc,
                           where(c, "CassandraConfig.username", "CassandraConfig.password"), NULL,
                           c->err, "username and password belong together; give both");
    return true;
}

static bool check_tls(const struct check *c)
{
    static const char *const sections[][4] = {
        {"ElasticSearchConfig.tls.cert", "ElasticSearchConfig.tls.key",
         "ElasticSearchConfig.driver.client_cert", "ElasticSearchConfig.driver.client_key"},
        {"CassandraConfig.tls.cert", "CassandraConfig.tls.key",
         "CassandraConfig.driver.ssl_options.certfile",
         "CassandraConfig.driver.ssl_options.keyfile"},
    };
    const struct config_tls *const both[] = {&c->p->es.tls, &c->p->cassandra.tls};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (!both[i]->cert == !both[i]->key)
            continue;
        const struct config_node *node = NULL;
        for (size_t j = 0; j < ARRAY_LEN(sections[i]) && !node; j++)
            node = config_seen_at(c->seen, sections[i][j]);
        return config_fail(&c->r->doc, node ? node : c->place, NULL, c->err,
                           "certificate and private key belong together; give both");
    }
    return true;
}

/* Whoever names an authority does not want his login to travel in the open. */
static void imply_tls(const struct check *c)
{
    static const char *const keys[] = {
        "CassandraConfig.tls.ca",
        "CassandraConfig.tls.cert",
        "CassandraConfig.tls.verify",
        "CassandraConfig.tls.serverName",
        "CassandraConfig.driver.ssl_options.ca_certs",
        "CassandraConfig.driver.ssl_options.certfile",
    };
    if (config_seen_at(c->seen, "CassandraConfig.tls.enabled"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        c->p->cassandra.tls_enabled |= config_seen_at(c->seen, keys[i]) != NULL;
}

static bool check_name(const struct check *c)
{
    const char *known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t len = strlen(c->p->name);
    if (len <= 64 && strspn(c->p->name, known) == len)
        return true;
    return config_fail(&c->r->doc, where(c, "name", NULL), NULL, c->err,
                       "is no name of a pipeline; use at most 64 letters, digits, _ . and -");
}

static bool check_columns(const struct check *c)
{
    const struct config_cassandra *cassandra = &c->p->cassandra;
    const struct config_node *node =
        where(c, "CassandraConfig.dataIdFieldName", "CassandraConfig.timeseriesIdFieldName");
    if (cassandra->data_ids.count == 0)
        return config_fail(&c->r->doc, node, NULL, c->err, "is empty; name the key column");
    bool twice = strcmp(cassandra->series_id_column, cassandra->series_time_column) == 0;
    for (size_t i = 0; i < cassandra->data_ids.count; i++)
        twice |= strcmp(cassandra->data_ids.items[i], cassandra->series_id_column) == 0 ||
                 strcmp(cassandra->data_ids.items[i], cassandra->series_time_column) == 0;
    if (twice)
        return config_fail(&c->r->doc, node, NULL, c->err,
                           "timeseriesIdFieldName, dataIdFieldName and timestampFieldName must "
                           "differ; they are columns of one table");
    if (strcmp(cassandra->data_table, cassandra->series_table) == 0)
        return config_fail(&c->r->doc, where(c, "CassandraConfig.dataColumnFamily", NULL), NULL,
                           c->err, "is the time series table too; name two tables");
    return true;
}

static bool is_own_field(const struct check *c, const char *name)
{
    const char *deleted = c->p->es.deleted_field, *ttl = c->p->cassandra.ttl_field;
    return strcmp(name, c->p->es.timestamp_field) == 0 || (deleted && strcmp(name, deleted) == 0) ||
           (ttl && strcmp(name, ttl) == 0);
}

static bool check_renames(const struct check *c)
{
    const struct config_pairs *rename = &c->p->rename;
    for (size_t i = 0; i < rename->count; i++) {
        const struct config_node *node = where(c, "rename", NULL)->items[i];
        for (size_t j = 0; j < i; j++)
            if (strcmp(rename->values[i], rename->values[j]) == 0)
                return config_fail(&c->r->doc, node, NULL, c->err,
                                   "two fields with one column; give each its own");
        if (is_own_field(c, rename->names[i]))
            return config_fail(&c->r->doc, node, NULL, c->err,
                               "timestampFieldName, deletedFieldName or ttlFieldName has that "
                               "field, which no column can have; name another");
    }
    return true;
}

static bool check_extra_names(const struct check *c)
{
    const struct config_cassandra *cassandra = &c->p->cassandra;
    const char *ttl = cassandra->ttl_field, *version = cassandra->version_column;
    if (ttl && (strcmp(ttl, c->p->es.timestamp_field) == 0 ||
                (c->p->es.deleted_field && strcmp(ttl, c->p->es.deleted_field) == 0)))
        return config_fail(&c->r->doc, where(c, "CassandraConfig.ttlFieldName", NULL), NULL, c->err,
                           "is another field's name too; give it one of its own");
    for (size_t i = 0; version && i < cassandra->data_ids.count; i++) {
        if (strcmp(version, cassandra->data_ids.items[i]) == 0)
            return config_fail(&c->r->doc, where(c, "CassandraConfig.versionColumn", NULL), NULL,
                               c->err, "is a key column; name one that holds the version");
    }
    return true;
}

/* A text that a variable is part of is not shown. */
static bool check_query(const struct check *c, const struct config_node *node, const char *text)
{
    struct query_place place;
    struct err why = {0};
    if (sink_query_check(text, &place, &why))
        return true;
    return config_fail(&c->r->doc, node, NULL, c->err, "line %u, column %u of the text: %s",
                       place.line, place.column,
                       node->hidden ? "is no statement that is possible here" : why.text);
}

static const char *query_place(const struct check *c, const struct config_node *node)
{
    char path[200];
    struct buf place = {0};
    buf_printf(&place, "%s:%u: %s", c->r->doc.file, node->line,
               config_tree_path(node, path, sizeof path));
    const char *copy = arena_copy(c->r->doc.arena, buf_slice(&place)).ptr;
    buf_free(&place);
    return copy;
}

static bool check_queries(const struct check *c)
{
    struct config_cassandra *cassandra = &c->p->cassandra;
    const struct config_node *node = config_seen_at(c->seen, "CassandraConfig.insertQuery");
    const size_t count = cassandra->insert_queries.count;
    const char **places = arena_zalloc(c->r->doc.arena, (count + 1) * sizeof *places);
    for (size_t i = 0; i < count; i++) {
        const struct config_node *item = node->kind == CONFIG_LIST ? node->items[i] : node;
        places[i] = query_place(c, item);
        if (!check_query(c, item, cassandra->insert_queries.items[i]))
            return false;
    }
    cassandra->insert_query_places = (struct config_list){places, count};
    return true;
}

bool config_check_pipeline(struct config_reader *r, struct config_pipeline *pipeline,
                           const struct config_seen *seen, const struct config_node *place,
                           struct err *err)
{
    const struct check c = {r, pipeline, seen, place, err};
    imply_tls(&c);
    return check_required(&c) && check_name(&c) && check_overlap(&c) && check_guard(&c) &&
           check_protocol(&c) && check_logins(&c) && config_aws_complete(r, pipeline, seen, err) &&
           check_tls(&c) && check_columns(&c) && check_renames(&c) && check_extra_names(&c) &&
           check_queries(&c);
}
