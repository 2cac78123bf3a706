#ifndef UNIT_CQL_FAKE_H
#define UNIT_CQL_FAKE_H

#include "base/buf.h"
#include "cql/frame.h"
#include "cql/inbound.h"
#include "io/loop.h"

/* A scripted node on the test's own loop. It shakes hands and tells the topology by itself;
 * everything else goes to on_request, or is answered with a Void result when that is NULL. The
 * topology is that of the nodes in others and its own, with keyspace k of replication_factor 1. */
struct fake;
struct fake_peer;

struct fake_request {
    struct fake_peer *peer;
    int version, stream, opcode;
    struct slice body; /* borrowed for the time of the call */
};

struct fake {
    uv_tcp_t listener;
    uint16_t port;
    char address[32];            /* "127.0.0.1:port" */
    int version;                 /* highest it knows */
    bool lz4, dead;              /* dead: it reads but never answers */
    const char *user, *password; /* asks for a login when set */
    const char *datacenter;
    const char *token;    /* NULL: none */
    struct fake **others; /* or NULL */
    size_t other_count;
    bool keyed;   /* what its statements bind is the partition key */
    bool old;     /* it knows no system.peers_v2 */
    int node;     /* which: two of one number are one node, at two addresses; 0: the port's */
    void *tls;    /* an SSL_CTX of fake_tls; NULL: plain TCP */
    bool asked;   /* TLS: a client has shown a certificate */
    bool by_byte; /* one byte a turn of the loop */
    void (*on_request)(struct fake *fake, const struct fake_request *request);
    void *ctx;
    struct fake_peer *peers;
    /* What was seen. */
    int connections, open, options, prepares, requests, segments, registers, topologies;
};

/* Sets fake->tls: presents cert and key; with ca, asks clients for a certificate of it. */
void fake_tls(struct fake *fake, const char *cert, const char *key, const char *ca);
void fake_start(struct fake *fake, struct io_loop *loop);
/* The port stays free for fake_listen. */
void fake_stop_listening(struct fake *fake);
void fake_listen_again(struct fake *fake, struct io_loop *loop);
void fake_close(struct fake *fake);

void fake_answer(struct fake_peer *peer, int stream, int opcode, struct slice body);
void fake_answer_flags(struct fake_peer *peer, int stream, int opcode, int flags,
                       struct slice body);
void fake_raw(struct fake_peer *peer, struct slice bytes);
void fake_void(struct fake_peer *peer, int stream);
void fake_error(struct fake_peer *peer, int stream, int code, const char *text);
void fake_unprepared(struct fake_peer *peer, int stream, struct slice id);
/* One row with one int. */
void fake_int(struct fake_peer *peer, int stream, int value);
/* PREPARED: one int to bind, one int column of the given name. */
void fake_prepared(struct fake_peer *peer, int stream, struct slice id, const char *result_id,
                   const char *column);
/* Of fake->peers, in turn. */
struct fake_peer *fake_next(struct fake_peer *peer);
void fake_event(struct fake_peer *peer, const char *type, const char *change, int port);
/* Ends the connection: with a reset, or with FIN. */
void fake_reset(struct fake_peer *peer);
void fake_hang_up(struct fake_peer *peer);

#endif
