#include "cql/host.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    BACK_OFF_MIN_MS = 100,
    BACK_OFF_MAX_MS = 10 * 1000,
    STABLE_MS = 10 * 1000, /* a connection that lived that long was a good one */
};

struct slot {
    struct cql_connection *connection;
    bool ready;
    uint64_t ready_at;
};

struct cql_host {
    struct io_loop *loop;
    char *name;
    struct cql_connection_options options;
    bool negotiate; /* the version */
    const struct cql_host_events *events;
    void *ctx;
    struct slot slots[CQL_HOST_CONNECTIONS_MAX];
    unsigned wanted, next;
    unsigned alive; /* connections whose memory is there */
    unsigned failures;
    struct io_timer *timer;  /* back-off */
    char told[ERR_TEXT_MAX]; /* why it is down, as it was logged; "" when it is not */
    uint64_t random;
    bool single, aside, closing;
};

/* xorshift64; only spreads attempts in time. */
static uint64_t next_random(struct cql_host *h)
{
    h->random ^= h->random << 13;
    h->random ^= h->random >> 7;
    h->random ^= h->random << 17;
    return h->random;
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

unsigned cql_host_ready(const struct cql_host *h)
{
    unsigned ready = 0;
    for (unsigned i = 0; i < h->wanted; i++)
        ready += h->slots[i].ready;
    return ready;
}

static struct slot *slot_of(struct cql_host *h, const struct cql_connection *connection)
{
    for (unsigned i = 0; i < h->wanted; i++)
        if (h->slots[i].connection == connection)
            return &h->slots[i];
    return NULL;
}

/* --- opening --- */

static const struct cql_connection_events connection_events;

/* One connection finds out whether the node is there; the others follow it. */
static void fill(struct cql_host *h)
{
    if (h->closing || h->aside || h->timer)
        return;
    const unsigned wanted = cql_host_ready(h) > 0 && !h->single ? h->wanted : 1;
    unsigned open = 0;
    for (unsigned i = 0; i < h->wanted; i++)
        open += h->slots[i].connection != NULL;
    for (unsigned i = 0; i < h->wanted && open < wanted; i++) {
        if (h->slots[i].connection)
            continue;
        h->slots[i] = (struct slot){.connection = cql_connection_open(
                                        io_loop_uv(h->loop), &h->options, &connection_events, h)};
        h->alive++;
        open++;
    }
}

static void on_back_off_over(void *ctx)
{
    struct cql_host *h = ctx;
    h->timer = NULL;
    fill(h);
}

static void end_back_off(struct cql_host *h)
{
    io_timer_cancel(h->timer);
    h->timer = NULL;
}

static void back_off(struct cql_host *h)
{
    if (h->closing || h->aside || h->timer)
        return;
    uint64_t limit = BACK_OFF_MIN_MS;
    for (unsigned i = 1; i < h->failures && limit < BACK_OFF_MAX_MS; i++)
        limit *= 2;
    if (limit > BACK_OFF_MAX_MS)
        limit = BACK_OFF_MAX_MS;
    const uint64_t delay = limit / 2 + next_random(h) % (limit / 2 + 1);
    h->timer = io_timer_start(h->loop, delay, on_back_off_over, h);
}

/* Once an outage, and again when the reason is another. */
static void tell(struct cql_host *h, const struct err *err)
{
    if (strcmp(h->told, err->text) == 0)
        return;
    memcpy(h->told, err->text, sizeof h->told);
    log_warning(h->options.log, "Cassandra: %s", err->text);
}

static void lost(struct cql_host *h, struct cql_connection *connection, const struct err *err)
{
    struct slot *slot = slot_of(h, connection);
    if (slot->ready && now_ms() - slot->ready_at >= STABLE_MS)
        h->failures = 0;
    h->failures++;
    *slot = (struct slot){0};
    if (cql_host_ready(h) == 0) {
        h->single = false;
        if (h->negotiate)
            h->options.version = 5; /* the node may come back upgraded */
    }
    tell(h, err);
    h->events->down(h->ctx, h, connection, err);
    back_off(h);
}

static void on_ready(void *ctx, struct cql_connection *connection)
{
    struct cql_host *h = ctx;
    struct err err;
    struct slot *slot = slot_of(h, connection);
    switch (h->events->accept(h->ctx, h, connection, &err)) {
    case CQL_HOST_REFUSE:
        lost(h, connection, &err);
        cql_connection_close(connection);
        return;
    case CQL_HOST_ALONE:
        h->single = true;
        *slot = (struct slot){0};
        cql_connection_close(connection);
        return;
    case CQL_HOST_ASIDE:
        cql_host_set_aside(h);
        return;
    case CQL_HOST_TAKE:
        break;
    }
    slot->ready = true;
    slot->ready_at = now_ms();
    h->told[0] = '\0';
    h->events->up(h->ctx, h, connection);
    fill(h);
}

static void on_broken(void *ctx, struct cql_connection *connection, const struct err *err)
{
    struct cql_host *h = ctx;
    if (h->negotiate && h->options.version == 5 && cql_connection_version_refused(connection)) {
        h->options.version = 4;
        *slot_of(h, connection) = (struct slot){0};
        fill(h);
        return;
    }
    lost(h, connection, err);
}

static void on_closed(void *ctx, struct cql_connection *connection)
{
    (void)connection;
    struct cql_host *h = ctx;
    h->alive--;
    if (h->closing && h->alive == 0)
        h->events->closed(h->ctx, h);
}

static void on_drained(void *ctx, struct cql_connection *connection)
{
    (void)connection;
    struct cql_host *h = ctx;
    h->events->drained(h->ctx);
}

static void on_event(void *ctx, struct cql_connection *connection, const struct cql_event *event)
{
    (void)connection;
    struct cql_host *h = ctx;
    h->events->event(h->ctx, event);
}

static const struct cql_connection_events connection_events = {
    .ready = on_ready,
    .drained = on_drained,
    .event = on_event,
    .broken = on_broken,
    .closed = on_closed,
};

/* --- life --- */

/* Splits "name:port"; a second colon outside brackets makes it an IPv6 address. */
static bool parse_address(struct cql_host *h, const char *address, struct err *err)
{
    const char *start = address, *end = address + strlen(address), *port = NULL;
    const char *colon = strrchr(address, ':');
    if (*address == '[') {
        const char *bracket = strchr(address, ']');
        if (!bracket || (bracket[1] != '\0' && bracket[1] != ':'))
            return err_set(err, ERR_CONFIG, "contact point \"%s\" is no address", address);
        start = address + 1;
        end = bracket;
        port = bracket[1] ? bracket + 2 : NULL;
    } else if (colon && colon == strchr(address, ':')) {
        end = colon;
        port = colon + 1;
    }
    if (port) {
        char *rest;
        const unsigned long number = strtoul(port, &rest, 10);
        if (*port < '0' || *port > '9' || *rest || number == 0 || number > 65535)
            return err_set(err, ERR_CONFIG, "contact point \"%s\" has no valid port", address);
        h->options.port = (uint16_t)number;
    }
    if (start == end)
        return err_set(err, ERR_CONFIG, "contact point \"%s\" is no address", address);
    h->name = mem_strndup(start, (size_t)(end - start));
    h->options.host = h->name;
    return true;
}

struct cql_host *cql_host_new(struct io_loop *loop, const char *address,
                              const struct cql_connection_options *options, unsigned connections,
                              const struct cql_host_events *events, void *ctx, struct err *err)
{
    struct cql_host *h = mem_zalloc(sizeof *h);
    h->options = *options;
    if (!parse_address(h, address, err)) {
        free(h);
        return NULL;
    }
    h->loop = loop;
    h->negotiate = options->version == 0;
    if (h->negotiate)
        h->options.version = 5;
    h->wanted = connections;
    h->events = events;
    h->ctx = ctx;
    h->random = uv_hrtime() ^ (uintptr_t)h;
    return h;
}

void cql_host_free(struct cql_host *h)
{
    if (!h)
        return;
    free(h->name);
    free(h);
}

void cql_host_start(struct cql_host *h)
{
    h->aside = false;
    fill(h);
}

void cql_host_hurry(struct cql_host *h)
{
    if (!h->timer)
        return;
    end_back_off(h);
    h->failures = 0;
    fill(h);
}

void cql_host_fail(struct cql_host *h, const struct err *err)
{
    for (unsigned i = 0; i < h->wanted; i++) {
        struct cql_connection *connection = h->slots[i].connection;
        if (!connection)
            continue;
        lost(h, connection, err);
        cql_connection_close(connection);
    }
}

void cql_host_set_aside(struct cql_host *h)
{
    struct err err;
    err_set(&err, ERR_CONNECTION, "%s:%u was set aside", h->name, h->options.port);
    h->aside = true;
    h->single = false;
    h->told[0] = '\0';
    end_back_off(h);
    for (unsigned i = 0; i < h->wanted; i++) {
        struct cql_connection *connection = h->slots[i].connection;
        h->slots[i] = (struct slot){0};
        if (connection)
            cql_connection_retire(connection, &err);
    }
}

void cql_host_close(struct cql_host *h)
{
    h->closing = true;
    end_back_off(h);
    for (unsigned i = 0; i < h->wanted; i++)
        if (h->slots[i].connection)
            cql_connection_close(h->slots[i].connection);
}

bool cql_host_is_closed(const struct cql_host *h)
{
    return h->alive == 0;
}

const char *cql_host_name(const struct cql_host *h)
{
    return h->name;
}

uint16_t cql_host_port(const struct cql_host *h)
{
    return h->options.port;
}

unsigned cql_host_busy(const struct cql_host *h)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < h->wanted; i++)
        if (h->slots[i].ready)
            busy += cql_connection_busy(h->slots[i].connection);
    return busy;
}

struct cql_connection *cql_host_pick(struct cql_host *h)
{
    for (unsigned i = 0; i < h->wanted; i++) {
        const struct slot *slot = &h->slots[h->next++ % h->wanted];
        if (slot->ready && cql_connection_has_room(slot->connection))
            return slot->connection;
    }
    return NULL;
}

bool cql_host_has_room(const struct cql_host *h)
{
    for (unsigned i = 0; i < h->wanted; i++)
        if (h->slots[i].ready && cql_connection_has_room(h->slots[i].connection))
            return true;
    return false;
}

struct cql_connection *cql_host_any(struct cql_host *h)
{
    for (unsigned i = 0; i < h->wanted; i++)
        if (h->slots[i].ready)
            return h->slots[i].connection;
    return NULL;
}

void cql_host_flush(struct cql_host *h)
{
    for (unsigned i = 0; i < h->wanted; i++)
        if (h->slots[i].ready)
            cql_connection_flush(h->slots[i].connection);
}
