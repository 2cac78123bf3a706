#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* The configuration as the rest of the program sees it: checked, defaults filled in, secrets
 * read. What each member means and may hold is in the option table (app/option.c). All strings
 * are borrowed from the app_config; "or NULL" where nothing was given. */

enum config_tie { CONFIG_TIE_ELASTICSEARCH, CONFIG_TIE_CASSANDRA };
enum config_unit { CONFIG_UNIT_S, CONFIG_UNIT_MS, CONFIG_UNIT_US, CONFIG_UNIT_NONE };
enum config_gap { CONFIG_GAP_STOP, CONFIG_GAP_REPAIR };
enum config_guard { CONFIG_GUARD_SNAPSHOT, CONFIG_GUARD_TIMESTAMP };
enum config_missing { CONFIG_MISSING_DELETE, CONFIG_MISSING_SKIP };
enum config_batch { CONFIG_BATCH_ORDERED, CONFIG_BATCH_LOGGED };
enum config_non_finite { CONFIG_NON_FINITE_REJECT, CONFIG_NON_FINITE_TEXT };
enum config_repair {
    CONFIG_REPAIR_NONE,
    CONFIG_REPAIR_NEWEST,
    CONFIG_REPAIR_ELASTICSEARCH,
    CONFIG_REPAIR_CASSANDRA
};
enum config_aws_service { CONFIG_AWS_ES, CONFIG_AWS_AOSS };
enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };
enum config_consistency {
    CONFIG_LOCAL_QUORUM,
    CONFIG_QUORUM,
    CONFIG_EACH_QUORUM,
    CONFIG_ALL,
    CONFIG_ONE,
    CONFIG_TWO,
    CONFIG_THREE,
    CONFIG_LOCAL_ONE,
};

struct config_list {
    const char *const *items;
    size_t count;
};

struct config_pairs {
    const char *const *names;
    const char *const *values;
    size_t count;
};

struct config_tls {
    const char *ca, *cert, *key; /* PEM files, or NULL */
    bool verify;
};

/* As written; overlap counts versions, whose unit is another option. */
struct config_overlap {
    int64_t ms;    /* a plain number counts as seconds here */
    bool has_unit; /* "60s", not "60" */
};

struct config_elasticsearch {
    const char *index;
    const char *type; /* or NULL */
    struct config_list include, exclude;
    struct config_list hosts; /* "http://host:port[/prefix]", without user and password */
    const char *username, *password, *api_key; /* or NULL; secret */
    bool hosts_login;                          /* they came with hosts */
    bool driver_use_ssl;
    struct config_tls tls;
    struct {
        const char *region; /* or NULL: requests are not signed */
        enum config_aws_service service;
        const char *access_key, *secret_key; /* with region; secret */
        const char *session_token;           /* or NULL; secret */
        const char *credentials_file;        /* or NULL; where they came from */
        const char *profile;
    } aws;
    const char *timestamp_field;
    const char *deleted_field; /* or NULL */
    int64_t keep_deleted;      /* ms */
    bool refresh;
    int64_t request_timeout; /* ms */
    int64_t max_retries;     /* accepted for the seed's sake, without effect */
};

struct config_cassandra {
    const char *keyspace, *data_table, *series_table;
    const char *series_id_column;   /* timeseriesIdFieldName, "id" */
    struct config_list data_ids;    /* dataIdFieldName, in primary-key order */
    const char *series_time_column; /* timestampFieldName, "timestamp" */
    struct config_list insert_queries;
    struct config_list insert_query_places; /* of each: "FILE:LINE: key" */
    int64_t ttl;                            /* s */
    struct config_list contact_points;      /* "host" or "host:port" */
    int64_t port;
    const char *local_datacenter; /* or NULL */
    enum config_consistency consistency;
    const char *username, *password; /* or NULL; secret */
    struct config_tls tls;
    bool tls_enabled;            /* also when only other keys of tls were given */
    const char *tls_server_name; /* or NULL */
    bool compression;
    struct config_pairs replication; /* CQL's map, with class; empty: none given */
    int64_t protocol_version;        /* 0: the highest that both know */
    int64_t connect_timeout;         /* ms */
    int64_t request_timeout;         /* ms */
    int64_t buckets;
    struct config_list include, exclude;
    enum config_guard guard;
    enum config_missing missing_row;
    int64_t delete_settle; /* ms */
    int64_t max_deletes;
    enum config_batch batch;
    enum config_non_finite non_finite;
    const char *version_column, *ttl_field; /* or NULL */
};

/* One index <-> one table. */
struct config_pipeline {
    const char *name;
    const char *state;     /* the file of its own state; that of "default" is the daemon's */
    const unsigned *lines; /* where each option of the table was given; 0: it was not */
    int64_t interval;      /* ms */
    struct config_elasticsearch es;
    struct config_cassandra cassandra;
    struct config_pairs rename; /* field -> column */
    struct {
        enum config_tie tie;
        enum config_unit unit;
        struct config_overlap overlap_written;
        int64_t overlap;         /* in versions */
        int64_t settle;          /* ms */
        int64_t max_future_skew; /* ms */
        enum config_gap on_gap;
    } sync;
    struct {
        int64_t every; /* ms; 0: never */
        enum config_repair repair;
        int64_t rate; /* records a second, 0: no limit */
    } verify;
};

struct logging_config; /* app/logging_config.h */

struct app_config {
    const char *file;  /* as it was named */
    const char *state; /* absolute */
    const char *state_folder;
    const char *pid_file;
    const char *control_socket; /* beside state */
    const char *background_log; /* beside state; for a daemon whose log would go nowhere else */
    int64_t workers;
    int64_t dead_letters_max;
    struct {
        const char *listen;
        const char *token; /* or NULL; secret */
        bool insecure;     /* no token, and listen reaches beyond this machine all the same */
        int64_t ready_lag; /* ms */
    } http;
    struct {
        enum config_log_format format;
        int level;        /* enum log_level */
        const char *file; /* or NULL */
    } log;
    const struct logging_config *logging; /* never NULL: made from log.* without `logging` */
    bool has_logging;                     /* the file has a `logging` section */
    const struct config_pipeline *pipelines;
    size_t pipeline_count;       /* at least 1 */
    const unsigned *lines;       /* as a pipeline's, of options outside of pipelines */
    struct config_list warnings; /* lines to be logged at start */
    struct arena *arena;
};

/* Where a configuration's text comes from; nothing else is looked at. */
struct config_source {
    const char *file; /* names it in messages; relative paths start at its folder */
    struct slice text;
    const char *home;                                /* for "~/"; or NULL */
    const char *(*env)(void *ctx, const char *name); /* or NULL */
    /* The content of a secret's file; or NULL. */
    bool (*secret_file)(void *ctx, const char *path, struct buf *out, struct err *err);
    void *ctx;
};

/* Free the result with app_config_free. Errors: ERR_CONFIG, one line "FILE:LINE: key: what is
 * wrong; what to do", never with a secret's or a variable's value. */
MUST_USE struct app_config *app_config_parse(const struct config_source *source, struct err *err);
/* The same from a regular file of at most 1 MiB, with the process's environment. */
MUST_USE struct app_config *app_config_load(const char *path, struct err *err);
/* NULL is allowed. */
void app_config_free(struct app_config *config);

/* The file to use: given (-c), else $CAES_CONFIG, else ~/.caes/config.yaml, else
 * /etc/caes-sync/config.yaml. An absolute path, to be freed. Errors: ERR_CONFIG when the name
 * is given nowhere and neither of the last two exists. */
MUST_USE char *app_config_find(const char *given, struct err *err);
/* Where a new one is written: given, else $CAES_CONFIG, else ~/.caes/config.yaml. To be freed. */
MUST_USE char *app_config_new_path(const char *given);

/* The line where an option was given, in whatever spelling; 0: its default counts. */
unsigned app_config_line(const struct app_config *config, const struct config_pipeline *pipeline,
                         const char *path);

/* Borrowed; NULL when there is none of that name. */
const struct config_pipeline *app_config_pipeline(const struct app_config *config,
                                                  const char *name);

#endif
