#include "app/helper.h"

#include "app/config_tree.h"
#include "app/logging_config.h"
#include "app/option.h"

#include <stdio.h>
#include <string.h>

static const char seed[] =
    "interval: 60\nElasticSearchConfig:\n    index: stream\n    type: log\nCassandraConfig:\n"
    "    keyspace: logs\n    dataColumnFamily: data\n    timeseriesColumnFamily: ts\n"
    "    timeseriesIdFieldName: id\n    dataIdFieldName: did\n    timestampFieldName: timestamp\n"
    "logging:\n  version: 1\n  formatters:\n      simple:\n"
    "        format:  '%(asctime)s %(levelname)s %(name)s %(message)s'\n"
    "        datefmt: '%Y/%m/%d %H:%M:%S'\n  handlers:\n      console:\n"
    "        class: logging.StreamHandler\n        formatter: simple\n        level: DEBUG\n"
    "  loggers:\n      caes:\n        level: DEBUG\n        handlers: [console]\n"
    "        propagate: false\n  root:\n    level: INFO\n    handlers: [console]\n";

static void test_seed(void **state)
{
    (void)state;
    struct app_config *c = helper_config(seed);
    const struct config_pipeline *p = app_config_pipeline(c, "default");
    assert_non_null(p);
    assert_int_equal(c->pipeline_count, 1);
    assert_int_equal(p->interval, 60000);
    assert_string_equal(p->es.index, "stream");
    assert_string_equal(p->es.type, "log");
    assert_string_equal(p->cassandra.keyspace, "logs");
    assert_string_equal(p->cassandra.data_table, "data");
    assert_string_equal(p->cassandra.series_table, "ts");
    assert_string_equal(p->cassandra.series_id_column, "id");
    assert_string_equal(p->cassandra.data_ids.items[0], "did");
    assert_string_equal(p->cassandra.series_time_column, "timestamp");
    assert_int_equal(c->logging->logger_count, 2);
    assert_string_equal(c->logging->loggers[0].name, "caes");
    assert_false(c->logging->loggers[0].propagate);
    assert_int_equal(c->logging->loggers[1].level, LOG_INFO);
    assert_int_equal(c->warnings.count, 0);
    app_config_free(c);
}

static void test_defaults(void **state)
{
    (void)state;
    struct app_config *c = helper_config(HELPER_ES HELPER_CASS);
    const struct config_pipeline *p = c->pipelines;
    assert_string_equal(p->name, "default");
    assert_int_equal(p->interval, 10000);
    assert_null(p->es.type);
    assert_string_equal(p->es.hosts.items[0], "http://127.0.0.1:9200");
    assert_string_equal(p->es.timestamp_field, "timestamp");
    assert_true(p->es.refresh);
    assert_true(p->es.tls.verify);
    assert_int_equal(p->es.request_timeout, 60000);
    assert_string_equal(p->cassandra.contact_points.items[0], "127.0.0.1");
    assert_int_equal(p->cassandra.port, 9042);
    assert_int_equal(p->cassandra.ttl, 3600);
    assert_int_equal(p->cassandra.buckets, 1);
    assert_int_equal(p->cassandra.consistency, CONFIG_LOCAL_QUORUM);
    assert_int_equal(p->cassandra.guard, CONFIG_GUARD_SNAPSHOT);
    assert_int_equal(p->cassandra.delete_settle, 30000);
    assert_int_equal(p->cassandra.max_deletes, 1000);
    assert_int_equal(p->sync.overlap, 60);
    assert_int_equal(p->sync.settle, 2000);
    assert_int_equal(p->sync.max_future_skew, 300000);
    assert_int_equal(p->sync.unit, CONFIG_UNIT_S);
    assert_string_equal(c->state, "/home/u/.caes/state.db");
    assert_string_equal(c->pid_file, "/home/u/.caes/state.pid");
    assert_string_equal(c->control_socket, "/home/u/.caes/state.sock");
    assert_int_equal(c->dead_letters_max, 100000);
    app_config_free(c);
}

static void assert_state(const char *file, const char *text, const char *path)
{
    struct err err = {0};
    struct app_config *c = helper_parse_file(file, text, &err);
    if (!c)
        fail_msg("%s", err.text);
    assert_string_equal(c->state, path);
    app_config_free(c);
}

static void test_state_of_services(void **state)
{
    (void)state;
    static const char text[] = HELPER_ES HELPER_CASS;
    assert_state("/etc/caes-sync/config.yaml", text, "/var/lib/caes-sync/state.db");
    assert_state("/etc/caes-sync/orders.yaml", text, "/var/lib/caes-sync/orders/state.db");
    assert_state("/etc/caes-sync/old/config.yaml", text, "/home/u/.caes/state.db");
    assert_state("/etc/caes-sync/config", text, "/home/u/.caes/state.db");
    assert_state("/etc/caes-sync/.yaml", text, "/home/u/.caes/state.db");
    assert_state("/etc/caes-sync/config.yaml", HELPER_ES HELPER_CASS "state: /s.db\n", "/s.db");
}

/* One option in either section, or a whole text: the exact complaint. */
static const struct {
    const char *text;
    const char *error;
} bad[] = {
    {"", "c.yaml:1: ElasticSearchConfig.index: is missing; add it (Index to sync.)"},
    {"# only a comment\n",
     "c.yaml:1: ElasticSearchConfig.index: is missing; add it (Index to sync.)"},
    {"\nElasticSearchConfig:\n  type: log\n" HELPER_CASS,
     "c.yaml:2: ElasticSearchConfig.index: is missing; add it (Index to sync.)"},
    {HELPER_ES "CassandraConfig:\n  dataColumnFamily: data\n",
     "c.yaml:3: CassandraConfig.keyspace: is missing; add it (Keyspace of both tables.)"},
    {HELPER_ES "CassandraConfig:\n  keyspace: k\n  dataColumnFamily:\n",
     "c.yaml:3: CassandraConfig.dataColumnFamily: is missing; add it (Data table: one row a "
     "record.)"},
    {"intervall: 5\n", "c.yaml:1: intervall: unknown key; did you mean \"interval\"?"},
    {"Interval: 5\n", "c.yaml:1: Interval: unknown key; did you mean \"interval\"?"},
    {"ElasticsearchConfig:\n  index: x\n",
     "c.yaml:1: ElasticsearchConfig: unknown key; did you mean \"ElasticSearchConfig\"?"},
    {"interval: 1\nttl: 5\n", "c.yaml:2: ttl: unknown key; did you mean \"CassandraConfig.ttl\"?"},
    {"colour: red\n", "c.yaml:1: colour: unknown key; remove it (caes-sync help configuration "
                      "lists all)"},
    {"CassandraConfig:\n  keyspase: k\n",
     "c.yaml:2: CassandraConfig.keyspase: unknown key; did you mean \"keyspace\"?"},
    {"CassandraConfig:\n  driver:\n    auth_provider: x\n",
     "c.yaml:3: CassandraConfig.driver.auth_provider: not known here; use "
     "CassandraConfig.username and password"},
    {"ElasticSearchConfig:\n  driver:\n    request_timeout: 5\n",
     "c.yaml:3: ElasticSearchConfig.driver.request_timeout: not known here; use "
     "ElasticSearchConfig.requestTimeout"},
    {"interval: soon\n", "c.yaml:1: interval: \"soon\" is not a duration; give seconds, or a "
                         "number with ms, s, m, h or d"},
    {"interval: 0.01\n", "c.yaml:1: interval: \"0.01\" is out of range; give 50ms to 1d"},
    {"interval: [1]\n", "c.yaml:1: interval: is a list; give one value"},
    {"interval: {a: 1}\n", "c.yaml:1: interval: is a map; give one value"},
    {"interval: ''\n", "c.yaml:1: interval: is empty; give a value or leave it out"},
    {"interval: 1\ninterval: 2\n", "c.yaml:2: interval: given twice, first in line 1; remove one"},
    {HELPER_ES HELPER_CASS "state: /s.db\nlog:\n  file: /s.db\n",
     "c.yaml:8: log.file: is the file of state too; name another"},
    {HELPER_ES HELPER_CASS
     "logging: {handlers: {a: {class: FileHandler, filename: ~/.caes/state.pid}}}\n",
     "c.yaml:6: logging.handlers.a.filename: is the file of pidFile too; name another"},
    {HELPER_ES HELPER_CASS "  protocolVersion: 3\n",
     "c.yaml:6: CassandraConfig.protocolVersion: only 4 and 5 are spoken; give one of them, or "
     "leave it out"},
    {HELPER_ES HELPER_CASS "  driver: {protocol_version: 2}\n",
     "c.yaml:6: CassandraConfig.driver.protocol_version: only 4 and 5 are spoken; give one of "
     "them, or leave it out"},
    {"<<: {interval: 1}\n<<: {interval: 2}\n",
     "c.yaml:2: <<: given twice, first in line 1; write <<: [*one, *other]"},
    {"CassandraConfig: 5\n",
     "c.yaml:1: CassandraConfig: is a section; write its keys below it, indented"},
    {"CassandraConfig:\n  port: 99999\n",
     "c.yaml:2: CassandraConfig.port: \"99999\" is out of range; give 1 to 65535"},
    {"CassandraConfig:\n  port: x1\n",
     "c.yaml:2: CassandraConfig.port: \"x1\" is not a whole number; give one from 1 to 65535"},
    {"CassandraConfig:\n  port: 1\n  driver:\n    port: 2\n",
     "c.yaml:4: CassandraConfig.driver.port: says the same as CassandraConfig.port in line 2; "
     "keep one"},
    {"CassandraConfig:\n  keyspace: 'a-b'\n",
     "c.yaml:2: CassandraConfig.keyspace: \"a-b\" is no name in Cassandra; use letters, digits "
     "and _"},
    {"ElasticSearchConfig:\n  index: Logs\n",
     "c.yaml:2: ElasticSearchConfig.index: \"Logs\" is no index name; use lower case, no blanks "
     "or \\ / * ? \" < > | , #, and a letter or digit first"},
    {"CassandraConfig:\n  guard: never\n", "c.yaml:2: CassandraConfig.guard: \"never\" is none of "
                                           "its values; give one of snapshot, timestamp"},
    {"CassandraConfig:\n  ttl: 1.5\n",
     "c.yaml:2: CassandraConfig.ttl: \"1.5\" is not in whole seconds; round it"},
    {HELPER_ES HELPER_CASS "  ttl: 60\n",
     "c.yaml:6: CassandraConfig.ttl: ttl must exceed sync.overlap; make ttl longer"},
    {HELPER_ES HELPER_CASS "sync:\n  overlap: 2h\n",
     "c.yaml:7: sync.overlap: ttl must exceed sync.overlap; make ttl longer"},
    {HELPER_ES "  deletedFieldName: gone\n" HELPER_CASS "  ttl: 1d\nsync:\n  overlap: 2h\n",
     "c.yaml:9: sync.overlap: keepDeleted must be at least sync.overlap; make it longer"},
    {HELPER_ES HELPER_CASS "  guard: timestamp\nsync:\n  versionUnit: us\n",
     "c.yaml:6: CassandraConfig.guard: guard timestamp wants versions in s or ms; set "
     "sync.versionUnit, or take guard snapshot"},
    {HELPER_ES HELPER_CASS "sync:\n  versionUnit: none\n  overlap: 60s\n",
     "c.yaml:8: sync.overlap: with versionUnit none, overlap is a count of versions; give a plain "
     "number"},
    {HELPER_ES HELPER_CASS "  password: x\n",
     "c.yaml:6: CassandraConfig.password: username and password belong together; give both"},
    {HELPER_ES "  apiKey: k\n  username: u\n  password: p\n" HELPER_CASS,
     "c.yaml:3: ElasticSearchConfig.apiKey: username is given too; give one of the two"},
    {HELPER_ES "  hosts: 'http://u:p@h'\n  username: u\n  password: p\n" HELPER_CASS,
     "c.yaml:4: ElasticSearchConfig.username: hosts have a login too; give it in one place"},
    {HELPER_ES HELPER_CASS "  dataIdFieldName: id\n",
     "c.yaml:6: CassandraConfig.dataIdFieldName: timeseriesIdFieldName, dataIdFieldName and "
     "timestampFieldName must differ; they are columns of one table"},
    {HELPER_ES HELPER_CASS "rename:\n  a: x\n  b: x\n",
     "c.yaml:8: rename.b: two fields with one column; give each its own"},
    {HELPER_ES HELPER_CASS "rename:\n  a: x\n  timestamp: y\n",
     "c.yaml:8: rename.timestamp: timestampFieldName, deletedFieldName or ttlFieldName has that "
     "field, which no column can have; name another"},
    {HELPER_ES "  deletedFieldName: gone\n" HELPER_CASS "rename:\n  gone: y\n",
     "c.yaml:8: rename.gone: timestampFieldName, deletedFieldName or ttlFieldName has that "
     "field, which no column can have; name another"},
    {"rename: [a]\n", "c.yaml:1: rename: is no map; write lines of the form name: name"},
    {"state: ${NO_SUCH}\n", "c.yaml:1: state: environment variable NO_SUCH is not set; set it, or "
                            "write $${ for the text itself"},
    {"state: ${}\n", "c.yaml:1: state: a ${ without a variable's name and }; write $${ for the "
                     "text itself"},
    {"a:\n\tb: 1\n", "c.yaml:2: a tab in the indentation; use spaces"},
    {"a: [1\n", "c.yaml:2: not valid YAML (did not find expected ',' or ']'); check indentation "
                "and quotes"},
    {"a: 1\n--- \nb: 2\n", "c.yaml:2: a second document; remove it and its ---"},
    {"- a\n", "c.yaml:1: not a configuration; write lines of the form key: value"},
    {"interval: \xff\n",
     "c.yaml:1: not UTF-8 text; save the file as UTF-8 without control characters"},
    {"interval: *x\n",
     "c.yaml:1: interval: *x is not defined above; define it with &x before it is used"},
    {"interval: !!python/object:os.system x\n",
     "c.yaml:1: interval: YAML tags are not known here; leave it out"},
    {"state: \"a\\0b\"\n", "c.yaml:1: state: holds a NUL character; remove it"},
    {"CassandraConfig:\n  passwordFile: /none\n",
     "c.yaml:2: CassandraConfig.passwordFile: can't read that file (No such file or directory); "
     "name a readable one"},
    {"CassandraConfig:\n  password: x\n  passwordFile: /secret\n",
     "c.yaml:3: CassandraConfig.passwordFile: says the same as CassandraConfig.password in line "
     "2; keep one"},
    {HELPER_ES HELPER_CASS "  tls:\n    cert: /c.pem\n",
     "c.yaml:7: CassandraConfig.tls.cert: certificate and private key belong together; give both"},
    {HELPER_ES "  aws:\n    region: eu-west-1\n" HELPER_CASS,
     "c.yaml:4: ElasticSearchConfig.aws.region: no credentials; give accessKeyId and "
     "secretAccessKey, credentialsFile, or the variables AWS_ACCESS_KEY_ID and "
     "AWS_SECRET_ACCESS_KEY"},
    {HELPER_ES "  aws:\n    accessKeyId: AKID\n    secretAccessKeyFile: /secret\n" HELPER_CASS,
     "c.yaml:4: ElasticSearchConfig.aws.accessKeyId: no region; give aws.region, or the variable "
     "AWS_REGION"},
    {HELPER_ES "  apiKey: k\n  aws:\n    accessKeyId: AKID\n" HELPER_CASS,
     "c.yaml:5: ElasticSearchConfig.aws.accessKeyId: another login is given too; keep one of them"},
    {HELPER_ES HELPER_CASS "  insertQuery: |\n    INSERT INTO t (a)\n    VALUES ('%(a)s')\n",
     "c.yaml:6: CassandraConfig.insertQuery: line 2, column 10 of the text: a placeholder within "
     "quotes; leave the quotes away, values are bound and never pasted into the text"},
    {HELPER_ES HELPER_CASS "  insertQuery:\n  - DELETE FROM t WHERE a = %(a)s\n  - SELECT 1\n",
     "c.yaml:8: CassandraConfig.insertQuery[2]: line 1, column 1 of the text: SELECT writes "
     "nothing; write INSERT, UPDATE or DELETE"},
    {HELPER_ES HELPER_CASS "  insertQuery: DELETE ${PW}\n",
     "c.yaml:6: CassandraConfig.insertQuery: line 1, column 12 of the text: is no statement that "
     "is possible here"},
    {"name: x\n", "c.yaml:1: name: names a pipeline; put it into an entry of pipelines"},
    {HELPER_ES HELPER_CASS "pipelines:\n- name: a\n  state: /x\n",
     "c.yaml:8: pipelines[1].state: belongs to the whole daemon; move it out of pipelines"},
    {HELPER_ES HELPER_CASS "pipelines:\n- interval: 1\n",
     "c.yaml:7: pipelines[1].name: is missing; add it (Name of the pipeline in commands, logs and "
     "metrics; only within pipelines.)"},
    {HELPER_ES HELPER_CASS "pipelines:\n- name: a\n- name: a\n",
     "c.yaml:8: pipelines[2].name: two pipelines of one name; rename one"},
    {HELPER_ES HELPER_CASS "pipelines:\n- name: a\n- name: b\n",
     "c.yaml:8: pipelines[2]: has the index and the table of pipeline \"a\"; remove one of them"},
    {"pipelines: []\n",
     "c.yaml:1: pipelines: is no list of pipelines; write \"- name: ...\" for each"},
    {"ElasticSearchConfig:\n  hosts: ftp://x\n",
     "c.yaml:2: ElasticSearchConfig.hosts: is no address of a server; write host, host:port or "
     "http(s)://host:port"},
    {"ElasticSearchConfig:\n  hosts: [a, 'b:0']\n",
     "c.yaml:2: ElasticSearchConfig.hosts[2]: is no address of a server; write host, host:port or "
     "http(s)://host:port"},
    {"ElasticSearchConfig:\n  hosts: [{host: a, prot: 1}]\n",
     "c.yaml:2: ElasticSearchConfig.hosts[1].prot: unknown key; hosts have host, port, scheme, "
     "use_ssl, http_auth, url_prefix"},
    {"ElasticSearchConfig:\n  hosts: ['http://u:p@a', 'http://u:q@b']\n",
     "c.yaml:2: ElasticSearchConfig.hosts[2]: hosts with different logins; give one username and "
     "password"},
    {"CassandraConfig:\n  contactPoints: ['a b']\n", "c.yaml:2: CassandraConfig.contactPoints[1]: "
                                                     "is no address of a server; write host or "
                                                     "host:port"},
    {HELPER_ES HELPER_CASS "log:\n  level: debug\nlogging:\n  version: 1\n",
     "c.yaml:7: log.level: counts only without a logging section; set it there"},
    {"logging:\n  version: 2\n",
     "c.yaml:2: logging.version: not known here; give version: 1 and leave incremental out"},
    {"logging:\n  handler: {}\n",
     "c.yaml:2: logging.handler: unknown key; did you mean \"handlers\"?"},
    {"logging:\n  handlers:\n    x: {class: logging.SMTPHandler}\n",
     "c.yaml:3: logging.handlers.x.class: unknown handler; give StreamHandler, FileHandler, "
     "RotatingFileHandler or TimedRotatingFileHandler"},
    {"logging:\n  handlers:\n    x: {class: logging.FileHandler}\n",
     "c.yaml:3: logging.handlers.x.filename: is missing; name the log file"},
    {"logging:\n  root: {handlers: [x]}\n",
     "c.yaml:2: logging.root.handlers[1]: there is no handler \"x\"; define it under handlers"},
    {"logging:\n  root: {level: LOUD}\n", "c.yaml:2: logging.root.level: is no level; give DEBUG, "
                                          "INFO, WARNING, ERROR or CRITICAL"},
    {"logging:\n  formatters:\n    f: {format: '%(massage)s'}\n",
     "c.yaml:3: logging.formatters.f.format: has an unknown field; use those of Python's "
     "LogRecord, %(message)s for example"},
    {"logging:\n  formatters:\n    f: {format: '%(message)d'}\n",
     "c.yaml:3: logging.formatters.f.format: formats a text as a number; write %(name)s"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        struct app_config *c = helper_parse(bad[i].text, &err);
        if (c)
            fail_msg("accepted: %s", bad[i].text);
        assert_string_equal(err.text, bad[i].error);
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *url;
        const char *username, *password;
    } hosts[] = {
        {"  driver: {hosts: localhost}\n", "http://localhost:9200", NULL, NULL},
        {"  driver: {hosts: ['es:9201']}\n", "http://es:9201", NULL, NULL},
        {"  driver: {hosts: 'https://es'}\n", "https://es:443", NULL, NULL},
        {"  hosts: 'http://es/'\n", "http://es:9200", NULL, NULL},
        {"  hosts: 'http://es:80/a/b/'\n", "http://es:80/a/b", NULL, NULL},
        {"  hosts: 'https://u:p%40%3a@es:1'\n", "https://es:1", "u", "p@:"},
        {"  hosts: '[::1]:9200'\n", "http://[::1]:9200", NULL, NULL},
        {"  driver: {hosts: [{host: es, port: 1, use_ssl: true}]}\n", "https://es:1", NULL, NULL},
        {"  driver: {hosts: [{host: es, url_prefix: /p/}]}\n", "http://es:9200/p", NULL, NULL},
        {"  driver: {hosts: {host: es, http_auth: 'a:b:c'}}\n", "http://es:9200", "a", "b:c"},
        {"  driver: {hosts: [es], use_ssl: true}\n", "https://es:9200", NULL, NULL},
        {"  driver: {hosts: [es], http_auth: [a, b]}\n", "http://es:9200", "a", "b"},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char text[400];
        snprintf(text, sizeof text, HELPER_ES "%s" HELPER_CASS, hosts[i].text);
        struct app_config *c = helper_config(text);
        const struct config_elasticsearch *es = &c->pipelines->es;
        assert_string_equal(es->hosts.items[0], hosts[i].url);
        if (hosts[i].username) {
            assert_string_equal(es->username, hosts[i].username);
            assert_string_equal(es->password, hosts[i].password);
        } else {
            assert_null(es->username);
        }
        app_config_free(c);
    }
}

static void test_drivers(void **state)
{
    (void)state;
    struct app_config *c = helper_config(
        HELPER_ES "  driver:\n    verify_certs: no\n    ca_certs: ca.pem\n    client_cert: /c\n"
                  "    client_key: /k\n    timeout: 2.5\n    max_retries: 9\n" HELPER_CASS
                  "  driver:\n    contact_points: [a, 'b:9043']\n    port: 9999\n"
                  "    protocol_version: 4\n    compression: lz4\n    connect_timeout: 3\n");
    const struct config_pipeline *p = c->pipelines;
    assert_false(p->es.tls.verify);
    assert_string_equal(p->es.tls.ca, "ca.pem");
    assert_string_equal(p->es.tls.key, "/k");
    assert_int_equal(p->es.request_timeout, 2500);
    assert_int_equal(p->cassandra.contact_points.count, 2);
    assert_int_equal(p->cassandra.port, 9999);
    assert_int_equal(p->cassandra.protocol_version, 4);
    assert_true(p->cassandra.compression);
    assert_int_equal(p->cassandra.connect_timeout, 3000);
    assert_int_equal(c->warnings.count, 1);
    assert_string_equal(c->warnings.items[0],
                        "c.yaml:9: ElasticSearchConfig.driver.max_retries: has no effect: what "
                        "fails for a time is retried until it works");
    app_config_free(c);
}

static void test_cassandra_tls(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool enabled, verify;
    } cases[] = {
        {"", false, true},
        {"  tls: {ca: /ca.pem}\n", true, true},
        {"  tls: {serverName: db}\n", true, true},
        {"  tls: {verify: false}\n", true, false},
        {"  tls: {enabled: true}\n", true, true},
        {"  tls: {enabled: false, ca: /ca.pem}\n", false, true},
        {"  driver: {ssl_options: {ca_certs: /ca.pem}}\n", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        snprintf(text, sizeof text, HELPER_ES HELPER_CASS "%s", cases[i].text);
        struct app_config *c = helper_config(text);
        assert_int_equal(c->pipelines->cassandra.tls_enabled, cases[i].enabled);
        assert_int_equal(c->pipelines->cassandra.tls.verify, cases[i].verify);
        app_config_free(c);
    }
}

static void test_aws(void **state)
{
    (void)state;
    struct app_config *c = helper_config(HELPER_ES "  aws:\n    region: eu-west-1\n"
                                                   "    credentialsFile: /aws\n" HELPER_CASS);
    const struct config_elasticsearch *es = &c->pipelines->es;
    assert_string_equal(es->aws.access_key, "AKID");
    assert_string_equal(es->aws.secret_key, "hush=hush");
    assert_string_equal(es->aws.session_token, "token==");
    assert_int_equal(es->aws.service, CONFIG_AWS_ES);
    app_config_free(c);
    c = helper_config(HELPER_ES "  aws: {region: r, service: aoss, credentialsFile: /aws, "
                                "profile: two}\n" HELPER_CASS);
    assert_string_equal(c->pipelines->es.aws.access_key, "SECOND");
    assert_null(c->pipelines->es.aws.session_token);
    assert_int_equal(c->pipelines->es.aws.service, CONFIG_AWS_AOSS);
    app_config_free(c);
    c = helper_config(HELPER_ES HELPER_CASS);
    assert_null(c->pipelines->es.aws.access_key);
    app_config_free(c);
}

static void test_workers(void **state)
{
    (void)state;
    struct app_config *c = helper_config(HELPER_ES HELPER_CASS);
    assert_int_equal(c->workers, 1);
    app_config_free(c);
    c = helper_config(HELPER_ES HELPER_CASS "workers: 2\n");
    assert_int_equal(c->workers, 2);
    assert_int_equal(c->warnings.count, 0);
    app_config_free(c);
}

static void test_env_and_files(void **state)
{
    (void)state;
    struct app_config *c =
        helper_config("interval: ${N}\n" HELPER_ES
                      "  username: a${N}$${N}b$\n  passwordFile: /secret\n" HELPER_CASS
                      "  username: u\n  password: '${PW}'\n");
    assert_int_equal(c->pipelines->interval, 7000);
    assert_string_equal(c->pipelines->es.username, "a7${N}b$");
    assert_string_equal(c->pipelines->es.password, "hush-file");
    assert_string_equal(c->pipelines->cassandra.password, "hush-hush");
    app_config_free(c);
}

/* Whatever is wrong about a secret, or about a value that holds a variable, it is not shown. */
static void test_secrets(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "interval: ${PW}\n",
        "CassandraConfig:\n  port: x${PW}\n",
        "CassandraConfig:\n  guard: ${PW}\n",
        "CassandraConfig:\n  password: [hush-hush]\n",
        "CassandraConfig:\n  password: {a: hush-hush}\n",
        "ElasticSearchConfig:\n  hosts: 'http://u:hush-hush@'\n",
        "ElasticSearchConfig:\n  hosts: 'ftp://u:hush-hush@h'\n",
        "ElasticSearchConfig:\n  hosts: ['http://hush-hush@h']\n",
        "ElasticSearchConfig:\n  driver: {http_auth: hush-hush}\n",
        "ElasticSearchConfig:\n  index: ${PW}-\"\n",
        "CassandraConfig:\n  password: hush-hush\n",
        "CassandraConfig:\n  password: \"hush-hush\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err err = {0};
        assert_null(helper_parse(texts[i], &err));
        if (strstr(err.text, "hush"))
            fail_msg("shown: %s", err.text);
    }
}

static void test_pipelines(void **state)
{
    (void)state;
    struct app_config *c = helper_config(
        "interval: 5\nCassandraConfig:\n  keyspace: k\n  ttl: 2h\npipelines:\n- name: one\n"
        "  ElasticSearchConfig: {index: i}\n  CassandraConfig: {dataColumnFamily: d}\n");
    assert_int_equal(c->pipeline_count, 1);
    const struct config_pipeline *p = app_config_pipeline(c, "one");
    assert_non_null(p);
    assert_null(app_config_pipeline(c, "default"));
    assert_string_equal(p->cassandra.keyspace, "k");
    assert_string_equal(p->cassandra.data_table, "d");
    assert_int_equal(p->cassandra.ttl, 7200);
    assert_int_equal(p->interval, 5000);
    app_config_free(c);
}

static void test_each_pipeline_has_a_state(void **state)
{
    (void)state;
    struct app_config *c = helper_config(
        "state: /s/x.db\nCassandraConfig:\n  keyspace: k\n  dataColumnFamily: d\npipelines:\n"
        "- name: default\n  ElasticSearchConfig: {index: i}\n"
        "- name: two\n  ElasticSearchConfig: {index: j}\n");
    assert_int_equal(c->pipeline_count, 2);
    assert_string_equal(c->pipelines[0].state, "/s/x.db");
    assert_string_equal(c->pipelines[1].state, "/s/x-two.db");
    assert_string_equal(c->control_socket, "/s/x.sock");
    app_config_free(c);
}

static void test_aliases(void **state)
{
    (void)state;
    struct app_config *c =
        helper_config("ElasticSearchConfig: {index: i, include: &fields [a, b], exclude: *fields}\n"
                      "CassandraConfig:\n  <<: {keyspace: k, ttl: 5h}\n  dataColumnFamily: d\n"
                      "  ttl: 6h\n");
    assert_int_equal(c->pipelines->es.exclude.count, 2);
    assert_string_equal(c->pipelines->cassandra.keyspace, "k");
    assert_int_equal(c->pipelines->cassandra.ttl, 6 * 3600);
    app_config_free(c);

    struct buf text = {0};
    buf_append_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buf_printf(&text, "*a%d,", i - 1);
        buf_append_str(&text, "]\n");
    }
    struct err err = {0};
    assert_null(helper_parse(buf_cstr(&text), &err));
    assert_non_null(strstr(err.text, "more than 100000 values"));
    buf_free(&text);
}

static void test_limits(void **state)
{
    (void)state;
    struct err err = {0};
    struct buf text = {0};
    for (int i = 0; i < 40; i++)
        buf_append_char(&text, '[');
    assert_null(helper_parse(buf_cstr(&text), &err));
    assert_non_null(strstr(err.text, "not a configuration") ? err.text
                                                            : strstr(err.text, "nested more than"));
    buf_clear(&text);
    buf_append_str(&text, "a: [");
    for (int i = 0; i < 1100; i++)
        buf_printf(&text, "&n%d x,", i);
    buf_append_str(&text, "]\n");
    assert_null(helper_parse(buf_cstr(&text), &err));
    assert_non_null(strstr(err.text, "more than 1000 &names"));
    buf_clear(&text);
    buf_append_str(&text, "#");
    memset(buf_reserve(&text, CONFIG_TEXT_MAX), 'x', CONFIG_TEXT_MAX);
    text.len += CONFIG_TEXT_MAX;
    assert_null(helper_parse(buf_cstr(&text), &err));
    assert_string_equal(err.text, "c.yaml:1: larger than 1 MiB; this is no configuration");
    buf_free(&text);
}

static void test_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t overlap;
    } cases[] = {{"sync: {overlap: 90}\n", 90},
                 {"sync: {overlap: 1.5s}\n", 2},
                 {"sync: {versionUnit: ms, overlap: 2m}\n", 120000},
                 {"sync: {versionUnit: us, overlap: 1}\n", 1000000},
                 {"sync: {versionUnit: none, overlap: 500000}\n", 500000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[300];
        snprintf(text, sizeof text, HELPER_ES HELPER_CASS "%s", cases[i].text);
        struct app_config *c = helper_config(text);
        assert_int_equal(c->pipelines->sync.overlap, cases[i].overlap);
        app_config_free(c);
    }
}

static void test_replication(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        {"3", "class=SimpleStrategy replication_factor=3 "},
        {"{dc1: 3, dc2: 2}", "class=NetworkTopologyStrategy dc1=3 dc2=2 "},
        {"{class: SimpleStrategy, replication_factor: 2}",
         "class=SimpleStrategy replication_factor=2 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[300];
        struct buf got = {0};
        snprintf(text, sizeof text, HELPER_ES HELPER_CASS "  replication: %s\n", cases[i].value);
        struct app_config *c = helper_config(text);
        const struct config_pairs *pairs = &c->pipelines->cassandra.replication;
        for (size_t j = 0; j < pairs->count; j++)
            buf_printf(&got, "%s=%s ", pairs->names[j], pairs->values[j]);
        assert_string_equal(buf_cstr(&got), cases[i].text);
        buf_free(&got);
        app_config_free(c);
    }
    struct err err = {0};
    assert_null(helper_parse("CassandraConfig:\n  replication: {\"dc'}; DROP\": 1}\n", &err));
    assert_null(helper_parse("CassandraConfig:\n  replication: {dc1: \"1'}\"}\n", &err));
}

/* Each default is a value that the option itself takes, and each help text is one line. */
static void test_table(void **state)
{
    (void)state;
    size_t count;
    const struct config_option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(options[i].help);
        assert_null(strchr(options[i].help, '\n'));
        assert_true(strlen(options[i].path) < OPTION_PATH_MAX);
        assert_ptr_equal(option_find(options[i].path), &options[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_state_of_services),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_cassandra_tls),
        cmocka_unit_test(test_aws),
        cmocka_unit_test(test_drivers),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_env_and_files),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_pipelines),
        cmocka_unit_test(test_each_pipeline_has_a_state),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_replication),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
