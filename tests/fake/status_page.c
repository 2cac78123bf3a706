/* The status page in states that real servers won't give on demand: fake_status_page PORT SCENE.
 * Serves until its stdin ends. */
#include "base/clock.h"
#include "status/http.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000LL

static void fill_server(struct status_server *server, const char *name, const char *address,
                        const char *holds, const char *version, int64_t now)
{
    *server = (struct status_server){.name = name,
                                     .address = address,
                                     .holds = holds,
                                     .version = version,
                                     .failure = "",
                                     .known = true,
                                     .up = true,
                                     .checkpoint = now / SECOND - 4};
}

static void fill_history(struct status_pipeline *p)
{
    p->history.count = STATUS_HISTORY_POINTS;
    for (size_t i = 0; i < STATUS_HISTORY_POINTS; i++) {
        p->history.points[i][0].lag_s = (float)(8 + 3 * sin((double)i));
        p->history.points[i][1].lag_s = (float)(8 + 3 * sin((double)i));
        if (i > 120 && i < 140) { /* an outage, half an hour ago */
            p->history.points[i][0].lag_s = (float)(i - 120) * 15;
            p->history.points[i][1].lag_s = (float)(i - 120) * 15;
        }
    }
}

static void fill_well(struct status_pipeline *p, const char *name, int64_t now)
{
    *p = (struct status_pipeline){
        .name = name,
        .active = true,
        .interval_us = 10 * SECOND,
        .patience_us = 60 * SECOND,
        .ready_lag_us = 60 * SECOND,
        .version_us = SECOND,
        .cycles = 8712,
        .completed_us = now - 4 * SECOND,
        .completed_here = true,
        .cycle_us = -1,
        .quiet_us = 4 * SECOND,
        .failure = "",
        .dead_letters_max = 100000,
    };
    fill_server(&p->servers[METRIC_ELASTICSEARCH], "Elasticsearch",
                "https://search-1.example.org:9200, https://search-2.example.org:9200", "stream",
                "9.5.3", now);
    fill_server(&p->servers[METRIC_CASSANDRA], "Cassandra", "10.0.3.11, 10.0.3.12, 10.0.3.13",
                "logs.data", "5.0.9", now);
    p->directions[METRIC_TO_ELASTICSEARCH] = (struct status_direction){
        {.copied = 1204733, .deleted = 1022, .superseded = 12, .unchanged = 301},
        4 * SECOND,
        212.4};
    p->directions[METRIC_TO_CASSANDRA] = (struct status_direction){
        {.copied = 3310, .deleted = 4, .superseded = 1}, 4 * SECOND, 0.35};
    fill_history(p);
}

static void add_letter(struct status_pipeline *p, const char *key, const char *reason, int64_t now)
{
    p->letters[p->letter_count] = (struct status_letter){
        .key = key,
        .rule = "entry",
        .reason = reason,
        .direction = p->letter_count % 2 ? METRIC_TO_ELASTICSEARCH : METRIC_TO_CASSANDRA,
        .version = now / SECOND - 60 * (int64_t)p->letter_count,
        .at_us = now - 3600 * SECOND * (int64_t)p->letter_count,
    };
    p->letter_count++;
    p->dead_letters++;
}

static void make_dead(struct status_pipeline *p, int64_t now)
{
    add_letter(p, "007", "_id \"007\": not the canonical form of key 7", now);
    add_letter(p, "<script>document.title='owned'</script>",
               "column \"size\": 12.5 is no int; \"><img src=x onerror=alert(1)>", now);
    add_letter(p, "ed31ee76-d49a-4c05-8f0a-6a856a94de8e|a-very-long-part-of-a-composite-key",
               "the row was written since the last cycle, but no entry tells its version", now);
    p->dead_letters = 1204;
    p->directions[METRIC_TO_CASSANDRA].counts.dead = 1204;
}

static void make_outage(struct status_pipeline *p, int64_t now)
{
    struct status_server *es = &p->servers[METRIC_ELASTICSEARCH];
    es->up = false;
    es->failing_since_us = p->failing_since_us = now - 190 * SECOND;
    es->failure = p->failure = "elasticsearch https://search-1.example.org:9200: connection "
                               "refused";
    p->directions[0].lag_us = p->directions[1].lag_us = 195 * SECOND;
    p->directions[0].rate = p->directions[1].rate = 0;
    p->completed_us = now - 195 * SECOND;
    for (size_t i = 228; i < STATUS_HISTORY_POINTS; i++)
        p->history.points[i][0].lag_s = p->history.points[i][1].lag_s = (float)(i - 227) * 15;
}

static void make_stuck(struct status_pipeline *p, int64_t now)
{
    p->quiet_us = 400 * SECOND;
    p->cycle_us = 400 * SECOND;
    p->completed_us = now - 410 * SECOND;
    p->directions[0].lag_us = p->directions[1].lag_us = 410 * SECOND;
    p->directions[0].rate = p->directions[1].rate = 0;
}

static void make_starting(struct status_pipeline *p)
{
    const char *holds[] = {p->servers[0].holds, p->servers[1].holds};
    p->completed_here = false;
    p->completed_us = 0;
    p->cycles = 0;
    p->cycle_us = 800000;
    p->history.count = 1;
    p->directions[0] = p->directions[1] = (struct status_direction){.lag_us = SECOND};
    for (size_t i = 0; i < 2; i++) {
        p->servers[i].holds = holds[i];
        p->servers[i].known = p->servers[i].up = false;
        p->servers[i].version = "";
        p->servers[i].checkpoint = 0;
    }
}

static struct status_snapshot *make_scene(const char *scene)
{
    const bool two = strcmp(scene, "two") == 0;
    const int64_t now = clock_wall_us();
    struct status_snapshot *s = status_snapshot_new(two ? 2 : 1);
    struct status_pipeline *p = &s->pipelines[0];
    s->taken_us = now;
    s->taken_mono_us = clock_mono_us();
    s->started_us = now - 123456 * SECOND;
    s->pid = 4711;
    s->configuration = "/etc/caes-sync/config.yaml";
    s->state = "/var/lib/caes-sync/state.db";
    fill_well(p, two ? "orders" : "default", now);
    if (strcmp(scene, "outage") == 0)
        make_outage(p, now);
    else if (strcmp(scene, "dead") == 0)
        make_dead(p, now);
    else if (strcmp(scene, "stuck") == 0)
        make_stuck(p, now);
    else if (strcmp(scene, "starting") == 0)
        make_starting(p);
    else if (strcmp(scene, "gap") == 0)
        p->gap = true;
    if (two) {
        fill_well(&s->pipelines[1], "users", now);
        make_outage(&s->pipelines[1], now);
    }
    return s;
}

int main(int argc, char **argv)
{
    struct status_http_options options = {0};
    struct err err = {0};
    char address[64], byte;
    if (argc != 3)
        return 2;
    snprintf(address, sizeof address, "127.0.0.1:%s", argv[1]);
    struct status_snapshot *s = make_scene(argv[2]);
    struct status_http *http = status_listen_parse(address, &options.listen, &err)
                                   ? status_http_start(&options, s, &err)
                                   : NULL;
    if (!http) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    /* Like a daemon that looks every second; "still" is one that doesn't. */
    while (strcmp(argv[2], "still") != 0) {
        struct status_snapshot *next = make_scene(argv[2]);
        status_http_publish(http, next);
        status_snapshot_unref(next);
        struct timeval second = {.tv_sec = 1};
        fd_set in;
        FD_ZERO(&in);
        FD_SET(STDIN_FILENO, &in);
        if (select(STDIN_FILENO + 1, &in, NULL, NULL, &second) > 0)
            break;
    }
    (void)!read(STDIN_FILENO, &byte, 1);
    status_http_stop(http);
    status_snapshot_unref(s);
    return 0;
}
