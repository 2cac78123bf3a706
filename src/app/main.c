#include "app/config.h"
#include "app/engine.h"
#include "app/logging.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct arguments {
    const char *file, *command;
    int level;
    bool json, dry_run;
    int64_t since;
};

static int exit_code(const struct err *err)
{
    switch (err->code) {
    case ERR_CONFIG:
        return 2;
    case ERR_RUNNING:
        return 4;
    case ERR_STATE:
    case ERR_INTERNAL:
        return 5;
    default:
        return 3;
    }
}

static int fail(const struct err *err)
{
    fprintf(stderr, "caes-sync: %s\n", err->text);
    return exit_code(err);
}

static void print_counts(const char *name, const struct pipeline_counts *c)
{
    printf("\"%s\":{\"copied\":%lld,\"deleted\":%lld,\"superseded\":%lld,\"unchanged\":%lld,"
           "\"dead\":%lld}",
           name, (long long)c->copied, (long long)c->deleted, (long long)c->superseded,
           (long long)c->unchanged, (long long)c->dead);
}

static int sync_command(struct engine *e, const struct arguments *a)
{
    struct pipeline_report r;
    struct err err = {0};
    const bool fine = engine_sync(e, &r, &err);
    if (a->json) {
        printf("{");
        print_counts("to_elasticsearch", &r.to_elasticsearch);
        printf(",");
        print_counts("to_cassandra", &r.to_cassandra);
        printf("}\n");
    }
    if (!fine)
        return fail(&err);
    if (!a->json)
        printf("to Elasticsearch: %lld copied, %lld deleted, %lld dead; to Cassandra: %lld copied, "
               "%lld deleted, %lld dead\n",
               (long long)r.to_elasticsearch.copied, (long long)r.to_elasticsearch.deleted,
               (long long)r.to_elasticsearch.dead, (long long)r.to_cassandra.copied,
               (long long)r.to_cassandra.deleted, (long long)r.to_cassandra.dead);
    return r.gap || r.to_elasticsearch.dead || r.to_cassandra.dead ? 1 : 0;
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    engine_stop(handle->data);
}

static int run_command(struct engine *e)
{
    uv_signal_t signals[2];
    const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(io_loop_uv(engine_loop(e)), &signals[i]);
        signals[i].data = e;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    struct err err = {0};
    const bool fine = engine_run(e, &err);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    uv_run(io_loop_uv(engine_loop(e)), UV_RUN_NOWAIT);
    return fine ? 0 : fail(&err);
}

static int init_command(struct engine *e, const struct arguments *a)
{
    struct buf said = {0};
    int created = 0;
    struct err err = {0};
    const bool fine = engine_init(e, a->dry_run, &said, &created, &err);
    printf("%s", buf_cstr(&said));
    buf_free(&said);
    return fine ? 0 : fail(&err);
}

int main(int argc, char **argv)
{
    struct arguments a = {.level = LOGGING_UNSET, .command = "help"};
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "-c") == 0 && ++i)
            a.file = next;
        else if (strcmp(argv[i], "--log-level") == 0 && ++i)
            a.level = *next == 'd' ? LOG_DEBUG : LOG_INFO;
        else if (strcmp(argv[i], "--since") == 0 && ++i)
            a.since = strtoll(next, NULL, 10);
        else if (strcmp(argv[i], "--json") == 0)
            a.json = true;
        else if (strcmp(argv[i], "--dry-run") == 0)
            a.dry_run = true;
        else if (strcmp(argv[i], "--once") != 0)
            a.command = argv[i];
    }
    signal(SIGPIPE, SIG_IGN);
    struct err err = {0};
    char *file = app_config_find(a.file, &err);
    struct app_config *config = file ? app_config_load(file, &err) : NULL;
    free(file);
    if (!config)
        return fail(&err);
    const struct logging_options how = {.level = a.level};
    struct logging *logging = logging_open(config->logging, &how, &err);
    if (!logging)
        return fail(&err);
    const bool init = strcmp(a.command, "init") == 0;
    struct engine *e = engine_new(config, !init, logging_get(logging, "caes.pipeline"), &err);
    int code = 2;
    if (!e)
        code = fail(&err);
    else {
        if (a.since && !init)
            engine_start_from(e, a.since);
        if (init)
            code = init_command(e, &a);
        else if (strcmp(a.command, "sync") == 0)
            code = sync_command(e, &a);
        else if (strcmp(a.command, "run") == 0)
            code = run_command(e);
        engine_free(e);
    }
    logging_close(logging);
    app_config_free(config);
    return code;
}
