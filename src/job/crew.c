#include "job/crew.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { FOREVER_MS = 3600 * 1000 };

/* A hand, its thread and what that is told. */
struct member {
    struct job_hand hand; /* first: a hand is its member */
    struct io_thread *thread;
    struct io_wake over;
    bool open;
    struct err err;
};

struct job_crew {
    struct job_crew_options o;
    struct member **members;
    unsigned count;
};

/* --- a thread: its loop goes on until it is over */

static void live(void *ctx)
{
    struct member *m = ctx;
    while (!m->over.raised)
        io_sleep(m->hand.stores.loop, FOREVER_MS, &m->over);
}

static void thread_main(void *ctx)
{
    struct member *m = ctx;
    io_task_start(m->hand.stores.loop, live, m, NULL);
    io_loop_run(m->hand.stores.loop);
}

static void end_life(void *ctx)
{
    struct member *m = ctx;
    io_wake_raise(&m->over);
}

/* --- all of them at once */

struct each {
    void (*fn)(void *ctx, struct job_hand *hand);
    void *ctx;
    unsigned running;
    struct io_wake ended;
};

struct errand {
    struct each *each;
    struct io_loop *home;
    struct job_hand *hand;
};

static void errand_there(void *ctx)
{
    const struct errand *errand = ctx;
    errand->each->fn(errand->each->ctx, errand->hand);
}

static void errand_main(void *ctx)
{
    struct errand *errand = ctx;
    io_task_visit(errand->home, errand->hand->stores.loop, errand_there, errand);
}

static void errand_ended(void *ctx)
{
    struct errand *errand = ctx;
    if (--errand->each->running == 0)
        io_wake_raise(&errand->each->ended);
    free(errand);
}

void job_crew_each(struct job_crew *crew, void (*fn)(void *ctx, struct job_hand *hand), void *ctx)
{
    struct each each = {.fn = fn, .ctx = ctx, .running = job_crew_count(crew)};
    for (unsigned i = 0; i < job_crew_count(crew); i++) {
        struct errand *errand = mem_alloc(sizeof *errand);
        *errand = (struct errand){&each, crew->o.stores->loop, &crew->members[i]->hand};
        io_task_start(crew->o.stores->loop, errand_main, errand, errand_ended);
    }
    while (each.running > 0)
        io_sleep(crew->o.stores->loop, FOREVER_MS, &each.ended);
}

/* --- begin and end */

/* In a cluster of several versions both would not mean the same by a part. */
static bool same_version(const struct es_client *a, const struct es_client *b, struct err *err)
{
    const struct es_version *x = es_client_version(a), *y = es_client_version(b);
    return (x->opensearch == y->opensearch && strcmp(x->text, y->text) == 0) ||
           err_set(err, ERR_UNAVAILABLE, "it reached Elasticsearch %s, and the job %s", x->text,
                   y->text);
}

static void open_stores(void *ctx, struct job_hand *hand)
{
    struct member *m = (struct member *)hand;
    (void)ctx;
    m->open = job_stores_open(&hand->stores, false, &m->err);
}

/* At home, which may find out its own again any time. */
static void compare_versions(struct job_crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++) {
        struct member *m = crew->members[i];
        m->open = m->open && same_version(m->hand.stores.elasticsearch,
                                          crew->o.stores->elasticsearch, &m->err);
    }
}

static void on_closed(void *ctx)
{
    io_group_done(ctx);
}

static void close_stores(void *ctx, struct job_hand *hand)
{
    struct io_group closing = {0};
    (void)ctx;
    job_stores_close(&hand->stores);
    io_group_add(&closing);
    io_group_add(&closing);
    cql_client_close(hand->stores.cassandra, on_closed, &closing);
    es_client_close(hand->stores.elasticsearch, on_closed, &closing);
    io_group_wait(&closing);
}

static struct member *member_new(struct job_crew *crew, struct err *err)
{
    struct member *m = mem_zalloc(sizeof *m);
    struct job_stores *stores = &m->hand.stores;
    stores->options = crew->o.stores->options;
    stores->loop = io_loop_new(err);
    if (stores->loop &&
        crew->o.clients(crew->o.ctx, stores->loop, &stores->cassandra, &stores->elasticsearch, err))
        return m;
    io_loop_free(stores->loop);
    free(m);
    return NULL;
}

/* What is left of its connections is closed by its loop. */
static void member_free(struct member *m)
{
    if (m->thread)
        io_loop_post(m->hand.stores.loop, end_life, m);
    io_thread_join(m->thread);
    io_loop_free(m->hand.stores.loop);
    free(m);
}

void job_crew_left_out(const struct job_crew *crew, const struct err *why)
{
    log_warning(crew->o.stores->options->log, "a thread can't help (%s): goes on with fewer",
                why->text);
}

static void add_member(struct job_crew *crew)
{
    struct err err = {0};
    struct member *m = member_new(crew, &err);
    if (m && (m->thread = io_thread_start(m->hand.stores.loop, thread_main, m, &err))) {
        m->hand.number = crew->count;
        crew->members[crew->count++] = m;
        return;
    }
    job_crew_left_out(crew, &err);
    if (!m)
        return;
    cql_client_close(m->hand.stores.cassandra, NULL, NULL);
    es_client_close(m->hand.stores.elasticsearch, NULL, NULL);
    member_free(m);
}

static void close_member(void *ctx, struct job_hand *hand)
{
    (void)ctx;
    if (!((struct member *)hand)->open)
        close_stores(NULL, hand);
}

/* Those that are open stay. */
static void drop_others(struct job_crew *crew)
{
    const unsigned count = crew->count;
    job_crew_each(crew, close_member, NULL);
    crew->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct member *m = crew->members[i];
        if (m->open) {
            m->hand.number = crew->count;
            crew->members[crew->count++] = m;
        } else {
            job_crew_left_out(crew, &m->err);
            member_free(m);
        }
    }
}

struct job_crew *job_crew_new(const struct job_crew_options *options)
{
    struct job_crew *crew = mem_zalloc(sizeof *crew);
    crew->o = *options;
    crew->members = mem_array(options->hands + 1, sizeof *crew->members);
    for (unsigned i = 0; i < options->hands; i++)
        add_member(crew);
    job_crew_each(crew, open_stores, NULL);
    compare_versions(crew);
    drop_others(crew);
    return crew;
}

void job_crew_free(struct job_crew *crew)
{
    if (!crew)
        return;
    job_crew_each(crew, close_stores, NULL);
    for (unsigned i = 0; i < crew->count; i++)
        member_free(crew->members[i]);
    free((void *)crew->members);
    free(crew);
}

unsigned job_crew_count(const struct job_crew *crew)
{
    return crew ? crew->count : 0;
}

struct job_hand *job_crew_hand(struct job_crew *crew, unsigned number)
{
    return &crew->members[number]->hand;
}

static void raise_stop(void *ctx)
{
    struct job_hand *hand = ctx;
    io_wake_raise(&hand->stop);
}

void job_crew_stop(struct job_crew *crew)
{
    for (unsigned i = 0; i < job_crew_count(crew); i++)
        io_loop_post(crew->members[i]->hand.stores.loop, raise_stop, &crew->members[i]->hand);
}
