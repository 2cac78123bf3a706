#include "status/http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "status/http_answer.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

enum {
    CONNECTIONS_MAX = 64,
    MEMORY_MAX = 16384, /* of a connection: request line and headers beyond it are refused */
    SWEEP_MS = 250,
    LIFE_US = 10000000,
    CROWDED_LIFE_US = 1000000,
    IDLE_S = 10,
    BACKLOG = 64,
    NICENESS = 5,
};

/* Oldest first. */
struct connection {
    struct connection *prev, *next;
    int fd;
    int64_t since_us;
};

struct status_http {
    struct MHD_Daemon *daemon;
    pthread_t thread;
    int poll_fd, wake_fd;
    struct connection *connections; /* the thread's own, like all below but what has the lock */
    unsigned connection_count;
    struct http_answers answers;
    struct status_snapshot *serving; /* what answers are made from */
    char *token;
    pthread_mutex_t lock;
    struct status_snapshot *published; /* with the lock */
    bool stop;                         /* with the lock */
};

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
                          enum MHD_ConnectionNotificationCode code)
{
    struct status_http *h = ctx;
    struct connection *c = *socket_ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        c = mem_zalloc(sizeof *c);
        c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->since_us = clock_mono_us();
        DL_APPEND(h->connections, c);
        h->connection_count++;
        *socket_ctx = c;
    } else if (c) {
        DL_DELETE(h->connections, c);
        h->connection_count--;
        free(c);
    }
}

/* What is late is cut off: it ends as if its client had gone. */
static void sweep(const struct status_http *h)
{
    const int64_t now = clock_mono_us();
    const bool crowded = h->connection_count >= CONNECTIONS_MAX;
    struct connection *c;
    DL_FOREACH (h->connections, c) {
        if (now - c->since_us < (crowded ? CROWDED_LIFE_US : LIFE_US))
            return;
        shutdown(c->fd, SHUT_RDWR);
    }
}

static struct MHD_Response *make_response(const struct http_answer *a)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(a->body.len, (void *)a->body.ptr, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return NULL;
    MHD_add_response_header(r, "Content-Type", a->type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "Connection", "close");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    if (a->policy)
        MHD_add_response_header(r, "Content-Security-Policy", a->policy);
    if (a->allow)
        MHD_add_response_header(r, "Allow", a->allow);
    if (a->ask_login) {
        MHD_add_response_header(r, "WWW-Authenticate", "Bearer realm=\"caes-sync\"");
        MHD_add_response_header(r, "WWW-Authenticate", "Basic realm=\"caes-sync\"");
    }
    return r;
}

static struct status_snapshot *take_published(struct status_http *h)
{
    pthread_mutex_lock(&h->lock);
    struct status_snapshot *s = status_snapshot_ref(h->published);
    pthread_mutex_unlock(&h->lock);
    return s;
}

/* The answer is queued at the first call, before a body is read: then none is. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_size, void **request_ctx)
{
    struct status_http *h = ctx;
    struct http_answer answer;
    (void)version, (void)body, (void)body_size, (void)request_ctx;
    struct status_snapshot *latest = take_published(h);
    if (latest != h->serving)
        http_answers_forget(&h->answers);
    status_snapshot_unref(h->serving);
    h->serving = latest;
    http_answer(&h->answers, latest, method, url,
                MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"),
                clock_mono_us(), &answer);
    struct MHD_Response *response = make_response(&answer);
    if (!response)
        return MHD_NO;
    const enum MHD_Result queued = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return queued;
}

static bool told_to_stop(struct status_http *h)
{
    pthread_mutex_lock(&h->lock);
    const bool stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return stop;
}

static void *serve(void *ctx)
{
    struct status_http *h = ctx;
    struct pollfd fds[] = {{.fd = h->poll_fd, .events = POLLIN}, {h->wake_fd, POLLIN, 0}};
    /* Where processors are short, the sync goes first. On Linux this is the thread's own. */
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    while (!told_to_stop(h)) {
        MHD_UNSIGNED_LONG_LONG wait = SWEEP_MS;
        if (MHD_get_timeout(h->daemon, &wait) != MHD_YES || wait > SWEEP_MS)
            wait = SWEEP_MS;
        poll(fds, ARRAY_LEN(fds), (int)wait);
        MHD_run(h->daemon);
        sweep(h);
    }
    MHD_stop_daemon(h->daemon);
    return NULL;
}

static bool start_daemon(struct status_http *h, const struct status_listen *listen, struct err *err)
{
    const unsigned v6 = listen->address.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0;
    errno = 0;
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | v6, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR,
        &listen->address.any, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, h, MHD_OPTION_END);
    if (!h->daemon)
        return err_set(err, ERR_CONFIG, "%s", errno ? strerror(errno) : "can't listen");
    h->poll_fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return true;
}

/* Signals belong to the loop's thread. */
static int start_thread(struct status_http *h)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(&h->thread, NULL, serve, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void free_http(struct status_http *h)
{
    if (h->wake_fd >= 0)
        close(h->wake_fd);
    http_answers_free(&h->answers);
    status_snapshot_unref(h->serving);
    status_snapshot_unref(h->published);
    pthread_mutex_destroy(&h->lock);
    free(h->token);
    free(h);
}

struct status_http *status_http_start(const struct status_http_options *options,
                                      struct status_snapshot *snapshot, struct err *err)
{
    struct status_http *h = mem_zalloc(sizeof *h);
    pthread_mutex_init(&h->lock, NULL);
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    h->token = options->token ? mem_strdup(options->token) : NULL;
    h->answers.token = h->token;
    h->published = status_snapshot_ref(snapshot);
    if (h->wake_fd < 0)
        err_set(err, ERR_INTERNAL, "%s", strerror(errno));
    else if (start_daemon(h, &options->listen, err)) {
        const int rc = start_thread(h);
        if (rc == 0)
            return h;
        err_set(err, ERR_INTERNAL, "%s", strerror(rc));
        MHD_stop_daemon(h->daemon);
    }
    free_http(h);
    return NULL;
}

void status_http_publish(struct status_http *h, struct status_snapshot *snapshot)
{
    pthread_mutex_lock(&h->lock);
    struct status_snapshot *before = h->published;
    h->published = status_snapshot_ref(snapshot);
    pthread_mutex_unlock(&h->lock);
    status_snapshot_unref(before);
}

void status_http_stop(struct status_http *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_mutex_unlock(&h->lock);
    const uint64_t one = 1;
    (void)!write(h->wake_fd, &one, sizeof one);
    pthread_join(h->thread, NULL);
    free_http(h);
}
