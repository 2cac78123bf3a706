#include "app/config_tls.h"

#include "io/tls.h"

#include <string.h>

static bool check_files(const struct app_config *config, const struct config_pipeline *pipeline,
                        const char *section, const struct config_tls *tls, struct err *err)
{
    static const char *const keys[] = {
        [IO_TLS_CA] = "tls.ca", [IO_TLS_CERT] = "tls.cert", [IO_TLS_KEY] = "tls.key"};
    const struct io_tls_files files = {tls->ca, tls->cert, tls->key};
    enum io_tls_file which = IO_TLS_CA;
    if (io_tls_files_check(&files, tls->verify, &which, err))
        return true;
    struct buf key = {0};
    buf_printf(&key, "%s.%s", section, keys[which]);
    const unsigned line = app_config_line(config, pipeline, buf_cstr(&key));
    err_context(err, "%s:%u: %s", config->file, line, buf_cstr(&key));
    buf_free(&key);
    return false;
}

static bool uses_https(const struct config_elasticsearch *es)
{
    for (size_t i = 0; i < es->hosts.count; i++)
        if (strncmp(es->hosts.items[i], "https://", 8) == 0)
            return true;
    return false;
}

static bool check_one(const struct app_config *config, const struct config_pipeline *p,
                      struct err *err)
{
    return (!uses_https(&p->es) ||
            check_files(config, p, "ElasticSearchConfig", &p->es.tls, err)) &&
           (!p->cassandra.tls_enabled ||
            check_files(config, p, "CassandraConfig", &p->cassandra.tls, err));
}

bool config_tls_check(const struct app_config *config, const struct config_pipeline *pipeline,
                      struct err *err)
{
    bool fine = true;
    for (size_t i = 0; i < config->pipeline_count && fine; i++)
        if (!pipeline || pipeline == &config->pipelines[i])
            fine = check_one(config, &config->pipelines[i], err);
    return fine;
}
