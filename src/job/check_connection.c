#include "job/check_connection.h"

#include "job/check_context.h"
#include "source/await.h"

#include <stdio.h>

/* Servers by major and minor version: those between from and before were tried. */
static bool is_tried(int major, int minor, const int (*tried)[2], size_t count)
{
    const int level = major * 100 + minor;
    for (size_t i = 0; i < count; i++)
        if (level >= tried[i][0] && level < tried[i][1])
            return true;
    return false;
}

static const char *refused_remedy(struct check *check, enum err_code code, const char *place)
{
    if (code == ERR_AUTH)
        return check_text(check->findings, "mend the login, or what it may do, beside %s", place);
    if (code == ERR_TRUST)
        return check_text(check->findings, "mend the certificate, or tls beside %s", place);
    return check_text(check->findings, "start the server, or mend %s", place);
}

static void refused(struct check *check, const char *where, const char *option,
                    const struct err *err)
{
    const char *place = check_option(check, option);
    check_add_err(check->findings, CHECK_ERROR, where, err,
                  refused_remedy(check, err->code, place));
    if (!check->unreachable && check->err)
        *check->err = *err;
    check->unreachable = true;
}

void check_cassandra_version(struct check_findings *findings, const char *where,
                             const char *release, int protocol)
{
    static const int tried[][2] = {{400, 501}};
    int major = 0, minor = 0;
    if (sscanf(release, "%3d.%2d", &major, &minor) < 2)
        major = minor = 0;
    if (major < 3)
        check_add(findings, CHECK_ERROR, where, "upgrade to 4.0 or newer",
                  "Cassandra %s has no system_schema tables", release);
    else if (!is_tried(major, minor, tried, ARRAY_LEN(tried)))
        check_add(findings, CHECK_WARNING, where, "take 4.0, 4.1 or 5.0",
                  "Cassandra %s was never tried with this program", release);
    else
        check_add(findings, CHECK_INFO, where, "", "Cassandra %s, native protocol v%d", release,
                  protocol);
}

void check_elasticsearch_version(struct check_findings *findings, const char *where,
                                 const struct es_version *version)
{
    static const int tried[][2] = {{107, 200}, {204, 300}, {717, 1000}};
    static const int tried_opensearch[][2] = {{200, 400}};
    const char *name = version->opensearch ? "OpenSearch" : "Elasticsearch";
    if (version->opensearch ? is_tried(version->major, version->minor, tried_opensearch,
                                       ARRAY_LEN(tried_opensearch))
                            : is_tried(version->major, version->minor, tried, ARRAY_LEN(tried)))
        check_add(findings, CHECK_INFO, where, "", "%s %s, versions %s", name, version->text,
                  version->meta_timestamp ? "in _timestamp" : "in a field of the documents");
    else
        check_add(findings, CHECK_WARNING, where,
                  version->opensearch ? "take OpenSearch 2 or 3"
                                      : "take Elasticsearch 2.4, 7.17, 8 or 9",
                  "%s %s was never tried with this program", name, version->text);
}

void check_cassandra_connection(struct check *check)
{
    struct err err = {0};
    const char *where =
        check_text(check->findings, "cassandra %s", check->options->cassandra_address);
    if (!await_cql_connect(check->cassandra, &err)) {
        refused(check, where, "CassandraConfig.contactPoints", &err);
        return;
    }
    check->have |= CHECK_CASSANDRA;
    check_cassandra_version(check->findings, where, cql_release_version(check->cassandra),
                            cql_protocol_version(check->cassandra));
}

void check_elasticsearch_connection(struct check *check)
{
    struct err err = {0};
    const char *where =
        check_text(check->findings, "elasticsearch %s", check->options->elasticsearch_address);
    if (!await_es_connect(check->elasticsearch, &err)) {
        refused(check, where, "ElasticSearchConfig.hosts", &err);
        return;
    }
    check->have |= CHECK_ELASTICSEARCH;
    check_elasticsearch_version(check->findings, where, es_client_version(check->elasticsearch));
}
