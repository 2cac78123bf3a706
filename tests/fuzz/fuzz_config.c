// layer: app
#include "app/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "PW") == 0 ? "hush-hush-hush" : NULL;
}

static bool secret_file(void *ctx, const char *path, struct buf *out, struct err *err)
{
    (void)ctx;
    if (path[0] != '/')
        return err_set(err, ERR_CONFIG, "No such file or directory");
    buf_append_str(out, "hush-hush-hush\n");
    return true;
}

/* A rejected text has one line that names the file and shows nothing secret (unless the text
 * itself has it in its keys). */
static void check_error(const struct err *err, struct slice text)
{
    if (err->code != ERR_CONFIG || strncmp(err->text, "fuzz.yaml:", 10) != 0 ||
        strchr(err->text, '\n'))
        abort();
    if (strstr(err->text, "hush-hush") && !memmem(text.ptr, text.len, "hush", 4))
        abort();
}

static void check_config(const struct app_config *config)
{
    if (!config->logging || !config->state || config->pipeline_count != 1)
        abort();
    const struct config_pipeline *p = config->pipelines;
    if (!p->name || !p->es.index || !p->cassandra.keyspace || !p->es.hosts.count ||
        !p->cassandra.contact_points.count || p->sync.overlap < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct config_source source = {.file = "fuzz.yaml",
                                   .text = slice_of(data, size),
                                   .home = "/home/u",
                                   .env = env,
                                   .secret_file = secret_file};
    struct err err = {0};
    struct app_config *config = app_config_parse(&source, &err);
    if (config)
        check_config(config);
    else
        check_error(&err, source.text);
    app_config_free(config);
    return 0;
}
