#include "app/option.h"

#include "app/config.h"
#include "app/nearest.h"

#include <limits.h>
#include <string.h>

#define AT(m)  OPTION_PIPELINE, offsetof(struct config_pipeline, m)
#define TOP(m) OPTION_PROCESS, offsetof(struct app_config, m)
#define ES     "ElasticSearchConfig."
#define CASS   "CassandraConfig."

enum { HOUR_MS = 3600000, DAY_MS = 86400000, YEARS_20_S = 630720000 };

/* In the order of the example and the reference page. */
static const struct config_option options[] = {
    {"name", OPTION_STRING, AT(name), .required = true,
     .help = "Name of the pipeline in commands, logs and metrics; only within pipelines."},
    {"interval", OPTION_DURATION, AT(interval), "10", 50, DAY_MS,
     .help = "Time between two cycles."},

    {ES "index", OPTION_INDEX, AT(es.index), .required = true, .help = "Index to sync."},
    {ES "type", OPTION_STRING, AT(es.type),
     .help = "Document type, for servers below 7 (newer ones have none)."},
    {ES "include", OPTION_LIST, AT(es.include),
     .help = "Fields that may go to Cassandra; include beats exclude."},
    {ES "exclude", OPTION_LIST, AT(es.exclude), .help = "Fields that stay in Elasticsearch."},
    {ES "hosts", OPTION_HOSTS, AT(es.hosts), "http://127.0.0.1:9200",
     .help = "URLs of the cluster's nodes; tried in turn."},
    {ES "username", OPTION_STRING, AT(es.username), .help = "Login of basic authentication."},
    {ES "password", OPTION_SECRET, AT(es.password), .help = "Its password."},
    {ES "apiKey", OPTION_SECRET, AT(es.api_key),
     .help = "API key, as Elasticsearch encodes it; instead of username and password."},
    {ES "tls.ca", OPTION_PATH, AT(es.tls.ca), .help = "PEM file of the authorities to trust."},
    {ES "tls.cert", OPTION_PATH, AT(es.tls.cert), .help = "PEM file of the client's certificate."},
    {ES "tls.key", OPTION_PATH, AT(es.tls.key), .help = "PEM file of the client's private key."},
    {ES "tls.verify", OPTION_BOOL, AT(es.tls.verify), "true",
     .help = "Whether the server's certificate must be valid; false only for tests."},
    {ES "aws.region", OPTION_STRING, AT(es.aws.region),
     .help = "Sign requests the AWS way, for this region; by default that of $AWS_REGION."},
    {ES "aws.service", OPTION_ENUM, AT(es.aws.service), "es", .choices = "es|aoss",
     .help = "The service that they are signed for: a domain, or a serverless collection."},
    {ES "aws.accessKeyId", OPTION_SECRET, AT(es.aws.access_key),
     .help = "Access key; by default that of credentialsFile, else $AWS_ACCESS_KEY_ID."},
    {ES "aws.secretAccessKey", OPTION_SECRET, AT(es.aws.secret_key),
     .help = "Secret of the access key."},
    {ES "aws.sessionToken", OPTION_SECRET, AT(es.aws.session_token),
     .help = "Token of temporary credentials."},
    {ES "aws.credentialsFile", OPTION_PATH, AT(es.aws.credentials_file),
     .help = "File of credentials as the AWS tools write it; read again at reload."},
    {ES "aws.profile", OPTION_STRING, AT(es.aws.profile), "default",
     .help = "The section of that file."},
    {ES "timestampFieldName", OPTION_STRING, AT(es.timestamp_field), "timestamp",
     .help = "Field that holds the version, from 5.x on (long or date)."},
    {ES "deletedFieldName", OPTION_STRING, AT(es.deleted_field),
     .help = "Boolean field that marks a document as deleted."},
    {ES "keepDeleted", OPTION_DURATION, AT(es.keep_deleted), "1h", 0, 366LL * DAY_MS,
     .help = "How long documents marked as deleted stay; at least sync.overlap."},
    {ES "refresh", OPTION_BOOL, AT(es.refresh), "true",
     .help = "Refresh the index once a cycle, so that it shows all that was written."},
    {ES "requestTimeout", OPTION_DURATION, AT(es.request_timeout), "60", 100, DAY_MS,
     .help = "When a request counts as failed."},
    {ES "driver.hosts", OPTION_HOSTS, AT(es.hosts), .driver = true,
     .help = "As elasticsearch-py takes it: a host, host:port or URL, a map, or a list of those."},
    {ES "driver.http_auth", OPTION_HTTP_AUTH, AT(es.username), .driver = true,
     .help = "user:password or [user, password]."},
    {ES "driver.use_ssl", OPTION_BOOL, AT(es.driver_use_ssl), "false", .driver = true,
     .help = "https for hosts without a scheme."},
    {ES "driver.verify_certs", OPTION_BOOL, AT(es.tls.verify), .driver = true,
     .help = "Today: tls.verify."},
    {ES "driver.ca_certs", OPTION_PATH, AT(es.tls.ca), .driver = true, .help = "Today: tls.ca."},
    {ES "driver.client_cert", OPTION_PATH, AT(es.tls.cert), .driver = true,
     .help = "Today: tls.cert."},
    {ES "driver.client_key", OPTION_PATH, AT(es.tls.key), .driver = true,
     .help = "Today: tls.key."},
    {ES "driver.timeout", OPTION_DURATION, AT(es.request_timeout), .min = 100, .max = DAY_MS,
     .driver = true, .help = "Today: requestTimeout."},
    {ES "driver.max_retries", OPTION_INT, AT(es.max_retries), "3", 0, 1000000, .driver = true,
     .support = OPTION_NO_USE, .help = "what fails for a time is retried until it works"},

    {CASS "keyspace", OPTION_IDENTIFIER, AT(cassandra.keyspace), .required = true,
     .help = "Keyspace of both tables."},
    {CASS "dataColumnFamily", OPTION_IDENTIFIER, AT(cassandra.data_table), .required = true,
     .help = "Data table: one row a record."},
    {CASS "timeseriesColumnFamily", OPTION_IDENTIFIER, AT(cassandra.series_table), "ts",
     .help = "Time series table: one entry a write."},
    {CASS "timeseriesIdFieldName", OPTION_STRING, AT(cassandra.series_id_column), "id",
     .help = "Its partition column."},
    {CASS "dataIdFieldName", OPTION_LIST, AT(cassandra.data_ids), "did",
     .help = "Key column of both tables; a list, in primary-key order, when there are several."},
    {CASS "timestampFieldName", OPTION_STRING, AT(cassandra.series_time_column), "timestamp",
     .help = "Column of the time series table that holds the version."},
    {CASS "insertQuery", OPTION_LIST, AT(cassandra.insert_queries),
     .help =
         "INSERT, UPDATE, DELETE that go with each copy, with %(field)s (docs/insert-query.md)."},
    {CASS "ttl", OPTION_SECONDS, AT(cassandra.ttl), "1h", 1, YEARS_20_S,
     .help = "How long entries of the time series table live; more than sync.overlap."},
    {CASS "contactPoints", OPTION_POINTS, AT(cassandra.contact_points), "127.0.0.1",
     .help = "Some nodes, host or host:port, one or a list; they tell of the others."},
    {CASS "port", OPTION_INT, AT(cassandra.port), "9042", 1, 65535,
     .help = "Port of nodes that are given without one."},
    {CASS "localDatacenter", OPTION_STRING, AT(cassandra.local_datacenter),
     .help = "Data center whose nodes are asked, and no others; by default that of the first one "
             "reached."},
    {CASS "consistency", OPTION_ENUM, AT(cassandra.consistency), "LOCAL_QUORUM",
     .choices = "LOCAL_QUORUM|QUORUM|EACH_QUORUM|ALL|ONE|TWO|THREE|LOCAL_ONE",
     .help = "Of reads and writes; the applications' must overlap it."},
    {CASS "username", OPTION_STRING, AT(cassandra.username), .help = "Login."},
    {CASS "password", OPTION_SECRET, AT(cassandra.password), .help = "Its password."},
    {CASS "tls.enabled", OPTION_BOOL, AT(cassandra.tls_enabled), "false",
     .help = "Encrypted connections; by default where another tls key is given."},
    {CASS "tls.ca", OPTION_PATH, AT(cassandra.tls.ca),
     .help = "PEM file of the authorities to trust; by default the system's."},
    {CASS "tls.cert", OPTION_PATH, AT(cassandra.tls.cert),
     .help = "PEM file of the client's certificate."},
    {CASS "tls.key", OPTION_PATH, AT(cassandra.tls.key),
     .help = "PEM file of the client's private key."},
    {CASS "tls.verify", OPTION_BOOL, AT(cassandra.tls.verify), "true",
     .help = "Whether the server's certificate must be valid; false only for tests."},
    {CASS "tls.serverName", OPTION_STRING, AT(cassandra.tls_server_name),
     .help = "Whom the nodes' certificates are for; by default each node's own name or address."},
    {CASS "compression", OPTION_LZ4, AT(cassandra.compression), "true",
     .help = "LZ4 where the server offers it."},
    {CASS "replication", OPTION_REPLICATION, AT(cassandra.replication),
     .help =
         "For the keyspace that init creates: a number of copies, or a map datacenter: copies."},
    {CASS "protocolVersion", OPTION_INT, AT(cassandra.protocol_version), "0", 0, 5,
     .help = "Native protocol, 4 or 5; 0 is the highest that both sides know."},
    {CASS "connectTimeout", OPTION_DURATION, AT(cassandra.connect_timeout), "5", 100, HOUR_MS,
     .help = "When connecting to a node counts as failed."},
    {CASS "requestTimeout", OPTION_DURATION, AT(cassandra.request_timeout), "10", 100, DAY_MS,
     .help = "When a request counts as failed."},
    {CASS "timeseriesBuckets", OPTION_INT, AT(cassandra.buckets), "1", 1, 1024,
     .help = "Partitions of the time series table: its id runs from 0 to this less one."},
    {CASS "include", OPTION_LIST, AT(cassandra.include),
     .help = "Columns that may go to Elasticsearch; include beats exclude."},
    {CASS "exclude", OPTION_LIST, AT(cassandra.exclude), .help = "Columns that stay in Cassandra."},
    {CASS "guard", OPTION_ENUM, AT(cassandra.guard), "snapshot", .choices = "snapshot|timestamp",
     .help =
         "How newer rows are protected; timestamp: applications write USING TIMESTAMP version."},
    {CASS "missingRow", OPTION_ENUM, AT(cassandra.missing_row), "delete", .choices = "delete|skip",
     .help = "What an entry without its row means."},
    {CASS "deleteSettle", OPTION_DURATION, AT(cassandra.delete_settle), "30", 0, DAY_MS,
     .help = "How long a row must be missing before that counts as a delete."},
    {CASS "maxDeletes", OPTION_INT, AT(cassandra.max_deletes), "1000", 0, INT32_MAX,
     .help = "More deletes within one overlap become dead letters."},
    {CASS "batch", OPTION_ENUM, AT(cassandra.batch), "ordered", .choices = "ordered|logged",
     .help = "ordered: first the row, then its entry; logged: one logged batch, twice as dear."},
    {CASS "nonFinite", OPTION_ENUM, AT(cassandra.non_finite), "reject", .choices = "reject|text",
     .help = "NaN and the infinities in float and double, which JSON lacks: a dead letter, or the "
             "strings \"NaN\", \"Infinity\" and \"-Infinity\"."},
    {CASS "versionColumn", OPTION_STRING, AT(cassandra.version_column),
     .help = "Column of the data table that holds the version; copies fill it."},
    {CASS "ttlFieldName", OPTION_STRING, AT(cassandra.ttl_field),
     .help = "Field that holds a record's time to live in seconds."},
    {CASS "driver.contact_points", OPTION_POINTS, AT(cassandra.contact_points), .driver = true,
     .help = "Today: contactPoints."},
    {CASS "driver.port", OPTION_INT, AT(cassandra.port), .min = 1, .max = 65535, .driver = true,
     .help = "Today: port."},
    {CASS "driver.protocol_version", OPTION_INT, AT(cassandra.protocol_version), .min = 1, .max = 5,
     .driver = true, .help = "Today: protocolVersion."},
    {CASS "driver.compression", OPTION_LZ4, AT(cassandra.compression), .driver = true,
     .help = "Today: compression."},
    {CASS "driver.connect_timeout", OPTION_DURATION, AT(cassandra.connect_timeout), .min = 100,
     .max = HOUR_MS, .driver = true, .help = "Today: connectTimeout."},
    {CASS "driver.ssl_options.ca_certs", OPTION_PATH, AT(cassandra.tls.ca), .driver = true,
     .help = "Today: tls.ca."},
    {CASS "driver.ssl_options.certfile", OPTION_PATH, AT(cassandra.tls.cert), .driver = true,
     .help = "Today: tls.cert."},
    {CASS "driver.ssl_options.keyfile", OPTION_PATH, AT(cassandra.tls.key), .driver = true,
     .help = "Today: tls.key."},

    {"rename", OPTION_PAIRS, AT(rename), .help = "Field name: column name, where they differ."},

    {"sync.tie", OPTION_ENUM, AT(sync.tie), "elasticsearch", .choices = "elasticsearch|cassandra",
     .help = "Whose content wins when both have the same version."},
    {"sync.versionUnit", OPTION_ENUM, AT(sync.unit), "s", .choices = "s|ms|us|none",
     .help = "What versions count since 1970; none: they are no time."},
    {"sync.overlap", OPTION_OVERLAP, AT(sync.overlap_written), "60", 0, 366LL * DAY_MS,
     .help = "How late, in versions, a write may show; a plain count with versionUnit none."},
    {"sync.settle", OPTION_DURATION, AT(sync.settle), "2", 0, HOUR_MS,
     .help = "Bound on clock error plus the time a write takes to become visible."},
    {"sync.maxFutureSkew", OPTION_DURATION, AT(sync.max_future_skew), "5m", 0, 366LL * DAY_MS,
     .help = "Versions further in the future become dead letters."},
    {"sync.onGap", OPTION_ENUM, AT(sync.on_gap), "stop", .choices = "stop|repair",
     .help = "What follows when the daemon was down for longer than ttl."},

    {"verify.every", OPTION_DURATION, AT(verify.every), "never", 1000, 366LL * DAY_MS,
     .word = "never",
     .help = "Time between the daemon's own comparisons of both stores, restarts or not; the first "
             "comes when that has passed for the first time."},
    {"verify.repair", OPTION_ENUM, AT(verify.repair), "none",
     .choices = "none|newest|elasticsearch|cassandra",
     .help = "Whether it mends what it finds, and by which rule."},
    {"verify.rate", OPTION_INT, AT(verify.rate), "10000", 0, 1000000000,
     .help = "Records of either side that it compares in a second; 0: no limit."},

    {"state", OPTION_PATH, TOP(state), "~/.caes/state.db",
     .help =
         "File of checkpoints and dead letters; the control socket and pid file lie beside it. A "
         "configuration /etc/caes-sync/config.yaml has it in /var/lib/caes-sync, one NAME.yaml in "
         "/var/lib/caes-sync/NAME."},
    {"pidFile", OPTION_PATH, TOP(pid_file), .help = "By default beside state."},
    {"workers", OPTION_INT, TOP(workers), "1", 1, 64,
     .help = "Threads that share the pipelines, and each `load` and comparison: useful where one "
             "core is not enough. Each has connections of its own."},
    {"deadLetters.max", OPTION_INT, TOP(dead_letters_max), "100000", 1, 1000000000,
     .help = "Dead letters kept; the sync stops for want of room beyond it."},
    {"http.listen", OPTION_STRING, TOP(http.listen), "127.0.0.1:8686",
     .help = "Address of the status page, health checks and metrics, or off (docs/operations.md)."},
    {"http.token", OPTION_SECRET, TOP(http.token),
     .help = "Bearer token that its readers must send; beyond this machine there must be one."},
    {"http.insecure", OPTION_BOOL, TOP(http.insecure), "false",
     .help = "Listen beyond this machine without a token: whoever can connect may read."},
    {"http.readyLag", OPTION_DURATION, TOP(http.ready_lag), "60", 1000, DAY_MS,
     .help = "A lag beyond it means not ready."},
    {"log.format", OPTION_ENUM, TOP(log.format), "text", .choices = "text|json",
     .help = "Lines of text, or one JSON object a line."},
    {"log.level", OPTION_ENUM, TOP(log.level), "info", .choices = "debug|info|warning|error",
     .help = "Least level that is written; not beside a logging section."},
    {"log.file", OPTION_PATH, TOP(log.file),
     .help = "Instead of stderr, rotated at 10 MiB; a background daemon's is beside state."},
};

static const struct {
    const char *path;
    const char *help;
} sections[] = {
    {"ElasticSearchConfig", "Elasticsearch or OpenSearch:"},
    {"ElasticSearchConfig.tls", "For https hosts:"},
    {"ElasticSearchConfig.aws", "For managed OpenSearch at AWS:"},
    {"CassandraConfig", "Cassandra:"},
    {"CassandraConfig.tls", "For clusters with client_encryption_options:"},
    {"sync", "What counts as newer, late and lost:"},
    {"verify", "The daemon's own periodic comparison:"},
    {"http", "Status page and metrics:"},
    {"log", "See also logging."},
};

static const struct {
    const char *path;
    const char *modern;
} moderns[] = {
    {ES "driver.port", "hosts"},
    {ES "driver.scheme", "hosts"},
    {ES "driver.url_prefix", "hosts"},
    {ES "driver.cloud_id", "hosts"},
    {ES "driver.basic_auth", "username and password"},
    {ES "driver.api_key", "apiKey"},
    {ES "driver.request_timeout", "requestTimeout"},
    {ES "driver.ssl_context", "tls"},
    {ES "driver.ssl_assert_hostname", "tls.verify"},
    {ES "driver.connection_class", "hosts"},
    {CASS "driver.auth_provider", "username and password"},
    {CASS "driver.load_balancing_policy", "localDatacenter"},
    {CASS "driver.ssl_context", "tls"},
    {CASS "driver.ssl_options.ssl_version", "tls"},
    {CASS "driver.ssl_options.cert_reqs", "tls.verify"},
    {CASS "driver.ssl_options.check_hostname", "tls.verify"},
    {CASS "driver.execution_profiles", "consistency and requestTimeout"},
    {CASS "driver.control_connection_timeout", "connectTimeout"},
};

const struct config_option *option_table(size_t *count)
{
    *count = ARRAY_LEN(options);
    return options;
}

const struct config_option *option_find(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strcmp(options[i].path, path) == 0)
            return &options[i];
    return NULL;
}

bool option_is_section(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strncmp(options[i].path, path, len) == 0 && options[i].path[len] == '.')
            return true;
    return false;
}

/* The name behind the last dot. */
static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* The part of an option's path that stands in the section of path: an option's name or the name
 * of a section. False when the option lies elsewhere. */
static bool candidate(const char *option, const char *path, char out[OPTION_PATH_MAX])
{
    size_t prefix = (size_t)(last_name(path) - path);
    if (strncmp(option, path, prefix) != 0)
        return false;
    size_t len = strcspn(option + prefix, ".");
    if (len >= OPTION_PATH_MAX)
        return false;
    memcpy(out, option + prefix, len);
    out[len] = '\0';
    return true;
}

static bool nearest_here(const char *path, char out[OPTION_PATH_MAX])
{
    static const char *const others[] = {"logging", "pipelines"};
    unsigned least = UINT_MAX;
    for (size_t i = 0; i < ARRAY_LEN(options) + ARRAY_LEN(others); i++) {
        char name[OPTION_PATH_MAX];
        const char *option =
            i < ARRAY_LEN(options) ? options[i].path : others[i - ARRAY_LEN(options)];
        if (!candidate(option, path, name))
            continue;
        unsigned distance = nearest_distance(last_name(path), name);
        if (distance < least) {
            least = distance;
            memcpy(out, name, sizeof name);
        }
    }
    return nearest_plausible(last_name(path), least);
}

bool option_nearest(const char *path, char out[OPTION_PATH_MAX])
{
    if (nearest_here(path, out))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!options[i].driver && strcmp(last_name(options[i].path), last_name(path)) == 0) {
            memcpy(out, options[i].path, strlen(options[i].path) + 1);
            return true;
        }
    }
    return false;
}

const char *option_modern(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(moderns); i++)
        if (strcmp(moderns[i].path, path) == 0)
            return moderns[i].modern;
    return NULL;
}

const char *option_section_help(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (strcmp(sections[i].path, path) == 0)
            return sections[i].help;
    return NULL;
}
