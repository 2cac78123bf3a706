#include "cql/fake.h"

#include "base/mem.h"
#include "cql/segment.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ssl.h>
#undef ERR_STATE

struct fake_peer {
    struct fake *fake;
    struct fake_peer *next;
    uv_tcp_t tcp;
    uv_idle_t drip;
    struct buf in, plain, out, cipher;
    SSL *ssl;
    size_t dripped;
    bool segments, lz4, closing;
    int handles, version;
};

struct write {
    uv_write_t uv;
    char bytes[];
};

static void free_write(uv_write_t *write, int rc)
{
    (void)rc;
    free(write);
}

static void write_now(struct fake_peer *p, struct slice bytes)
{
    struct write *write = mem_alloc(sizeof *write + bytes.len);
    memcpy(write->bytes, bytes.ptr, bytes.len);
    const uv_buf_t buf = uv_buf_init(write->bytes, (unsigned)bytes.len);
    uv_write(&write->uv, (uv_stream_t *)&p->tcp, &buf, 1, free_write);
}

static void on_drip(uv_idle_t *idle)
{
    struct fake_peer *p = idle->data;
    if (p->dripped == p->out.len) {
        uv_idle_stop(idle);
        buf_clear(&p->out);
        p->dripped = 0;
        return;
    }
    write_now(p, slice_of(p->out.ptr + p->dripped++, 1));
}

static void send_bytes(struct fake_peer *p, struct slice bytes)
{
    if (!p->fake->by_byte) {
        write_now(p, bytes);
        return;
    }
    buf_append_slice(&p->out, bytes);
    uv_idle_start(&p->drip, on_drip);
}

static void send_cipher(struct fake_peer *p)
{
    char bytes[4096];
    int len;
    while ((len = BIO_read(SSL_get_wbio(p->ssl), bytes, sizeof bytes)) > 0)
        send_bytes(p, slice_of(bytes, (size_t)len));
}

void fake_raw(struct fake_peer *p, struct slice bytes)
{
    if (p->closing || bytes.len == 0)
        return;
    if (!p->ssl) {
        send_bytes(p, bytes);
        return;
    }
    SSL_write(p->ssl, bytes.ptr, (int)bytes.len);
    send_cipher(p);
}

void fake_answer_flags(struct fake_peer *p, int stream, int opcode, int flags, struct slice body)
{
    struct buf frame = {0}, packed = {0};
    const size_t start =
        cql_frame_begin(&frame, p->version | CQL_FRAME_ANSWER, opcode, (int16_t)stream);
    frame.ptr[1] = (char)flags;
    buf_append_slice(&frame, body);
    cql_frame_end(&frame, start);
    if (p->segments) {
        cql_segment_pack(&packed, buf_slice(&frame), p->lz4);
        fake_raw(p, buf_slice(&packed));
    } else {
        fake_raw(p, buf_slice(&frame));
    }
    buf_free(&frame);
    buf_free(&packed);
}

void fake_answer(struct fake_peer *p, int stream, int opcode, struct slice body)
{
    fake_answer_flags(p, stream, opcode, 0, body);
}

static void put_text(struct buf *b, const char *text)
{
    cql_write_string(b, slice_str(text));
}

static void send_buf(struct fake_peer *p, int stream, int opcode, struct buf *b)
{
    fake_answer(p, stream, opcode, buf_slice(b));
    buf_free(b);
}

void fake_void(struct fake_peer *p, int stream)
{
    fake_answer(p, stream, CQL_OP_RESULT, SLICE_LIT("\0\0\0\1"));
}

void fake_error(struct fake_peer *p, int stream, int code, const char *text)
{
    struct buf b = {0};
    buf_append_be32(&b, (uint32_t)code);
    put_text(&b, text);
    send_buf(p, stream, CQL_OP_ERROR, &b);
}

void fake_unprepared(struct fake_peer *p, int stream, struct slice id)
{
    struct buf b = {0};
    buf_append_be32(&b, 0x2500);
    put_text(&b, "who?");
    cql_write_string(&b, id);
    send_buf(p, stream, CQL_OP_ERROR, &b);
}

static void put_columns(struct buf *b, const char *name, const char *second, int type)
{
    put_text(b, "k");
    put_text(b, "t");
    put_text(b, name);
    buf_append_be16(b, (uint16_t)type);
    if (second) {
        put_text(b, second);
        buf_append_be16(b, (uint16_t)type);
    }
}

void fake_int(struct fake_peer *p, int stream, int value)
{
    struct buf b = {0};
    buf_append_be32(&b, 2); /* rows */
    buf_append_be32(&b, 1); /* one table */
    buf_append_be32(&b, 1);
    put_columns(&b, "value", NULL, 9);
    buf_append_be32(&b, 1);
    buf_append_be32(&b, 4);
    buf_append_be32(&b, (uint32_t)value);
    send_buf(p, stream, CQL_OP_RESULT, &b);
}

void fake_prepared(struct fake_peer *p, int stream, struct slice id, const char *result_id,
                   const char *column)
{
    struct buf b = {0};
    buf_append_be32(&b, 4);
    cql_write_string(&b, id);
    if (p->version >= 5)
        put_text(&b, result_id);
    buf_append_be32(&b, 1);
    buf_append_be32(&b, 1);
    buf_append_be32(&b, p->fake->keyed);
    if (p->fake->keyed)
        buf_append_be16(&b, 0);
    put_columns(&b, "bind", NULL, 9);
    buf_append_be32(&b, 1);
    buf_append_be32(&b, 1);
    put_columns(&b, column, NULL, 9);
    send_buf(p, stream, CQL_OP_RESULT, &b);
}

static void send_supported(struct fake_peer *p, int stream)
{
    struct buf b = {0};
    buf_append_be16(&b, 2);
    put_text(&b, "COMPRESSION");
    buf_append_be16(&b, 2);
    put_text(&b, "snappy");
    put_text(&b, p->fake->lz4 ? "lz4" : "none");
    put_text(&b, "CQL_VERSION");
    buf_append_be16(&b, 1);
    put_text(&b, "3.4.7");
    send_buf(p, stream, CQL_OP_SUPPORTED, &b);
}

/* Rows whose columns are all called "c" and are blobs. */
static void begin_rows(struct buf *b, unsigned columns, unsigned rows)
{
    buf_append_be32(b, 2);
    buf_append_be32(b, 1);
    buf_append_be32(b, columns);
    put_text(b, "k");
    put_text(b, "t");
    for (unsigned i = 0; i < columns; i++) {
        put_text(b, "c");
        buf_append_be16(b, 3);
    }
    buf_append_be32(b, rows);
}

static void put_cell(struct buf *b, const char *text)
{
    cql_write_long_string(b, slice_str(text));
}

static void put_texts(struct buf *b, const char *const *texts, unsigned count)
{
    struct buf cell = {0};
    buf_append_be32(&cell, count);
    for (unsigned i = 0; i < count; i++)
        put_cell(&cell, texts[i]);
    cql_write_long_string(b, buf_slice(&cell));
    buf_free(&cell);
}

static void put_id(struct buf *b, const struct fake *fake)
{
    char id[16] = "a node";
    const int node = fake->node ? fake->node : fake->port;
    memcpy(id + 8, &node, sizeof node);
    cql_write_long_string(b, slice_of(id, sizeof id));
}

static const char *datacenter_of(const struct fake *fake)
{
    return fake->datacenter ? fake->datacenter : "dc1";
}

static void send_local(struct fake_peer *p, int stream)
{
    struct buf b = {0};
    begin_rows(&b, 3, 1);
    put_cell(&b, "9.8.7");
    put_cell(&b, datacenter_of(p->fake));
    put_id(&b, p->fake);
    send_buf(p, stream, CQL_OP_RESULT, &b);
}

static void put_node(struct buf *b, const struct fake *fake)
{
    put_id(b, fake);
    put_cell(b, datacenter_of(fake));
    put_cell(b, "rack1");
    cql_write_long_string(b, SLICE_LIT("\177\0\0\1"));
    put_texts(b, &fake->token, fake->token ? 1 : 0);
}

static void send_peers(struct fake_peer *p, int stream)
{
    struct buf b = {0};
    begin_rows(&b, 6, (unsigned)p->fake->other_count);
    for (size_t i = 0; i < p->fake->other_count; i++) {
        put_node(&b, p->fake->others[i]);
        if (p->fake->old) {
            cql_write_long_string(&b, SLICE_LIT("\177\0\0\1"));
        } else {
            buf_append_be32(&b, 4);
            buf_append_be32(&b, p->fake->others[i]->port);
        }
    }
    send_buf(p, stream, CQL_OP_RESULT, &b);
}

static void send_keyspaces(struct fake_peer *p, int stream)
{
    static const char *const options[] = {"class", "org.apache.cassandra.locator.SimpleStrategy",
                                          "replication_factor", "1"};
    struct buf b = {0}, cell = {0};
    begin_rows(&b, 2, 1);
    put_cell(&b, "k");
    buf_append_be32(&cell, 2);
    for (int i = 0; i < 4; i++)
        put_cell(&cell, options[i]);
    cql_write_long_string(&b, buf_slice(&cell));
    buf_free(&cell);
    send_buf(p, stream, CQL_OP_RESULT, &b);
    p->fake->topologies++;
}

static bool answer_system(struct fake_peer *p, const struct fake_request *r)
{
    const struct slice q = r->body;
    struct buf b = {0};
    if (memmem(q.ptr, q.len, "release_version", 15)) {
        send_local(p, r->stream);
    } else if (memmem(q.ptr, q.len, "system.local", 12)) {
        begin_rows(&b, 6, 1);
        put_node(&b, p->fake);
        put_cell(&b, "org.apache.cassandra.dht.Murmur3Partitioner");
        send_buf(p, r->stream, CQL_OP_RESULT, &b);
    } else if (memmem(q.ptr, q.len, "system.peers_v2", 15) && p->fake->old) {
        fake_error(p, r->stream, 0x2200, "table peers_v2 does not exist");
    } else if (memmem(q.ptr, q.len, "system.peers", 12)) {
        send_peers(p, r->stream);
    } else if (memmem(q.ptr, q.len, "system_schema.keyspaces", 23)) {
        send_keyspaces(p, r->stream);
    } else {
        return false;
    }
    return true;
}

struct fake_peer *fake_next(struct fake_peer *p)
{
    return p->next;
}

void fake_event(struct fake_peer *p, const char *type, const char *change, int port)
{
    struct buf b = {0};
    put_text(&b, type);
    put_text(&b, change);
    buf_append_slice(&b, SLICE_LIT("\4\177\0\0\1"));
    buf_append_be32(&b, (uint32_t)port);
    fake_answer(p, -1, CQL_OP_EVENT, buf_slice(&b));
    buf_free(&b);
}

static void on_startup(struct fake_peer *p, const struct fake_request *r)
{
    if (p->fake->user)
        fake_answer(p, r->stream, CQL_OP_AUTHENTICATE, SLICE_LIT("\0\3any"));
    else
        fake_answer(p, r->stream, CQL_OP_READY, SLICE_LIT(""));
    p->segments = p->version >= 5;
    p->lz4 = p->fake->lz4 && memmem(r->body.ptr, r->body.len, "lz4", 3);
}

static void on_login(struct fake_peer *p, const struct fake_request *r)
{
    struct buf want = {0};
    buf_append_be32(&want, (uint32_t)(strlen(p->fake->user) + strlen(p->fake->password) + 2));
    buf_append_char(&want, 0);
    buf_append_str(&want, p->fake->user);
    buf_append_char(&want, 0);
    buf_append_str(&want, p->fake->password);
    if (slice_equal(buf_slice(&want), r->body))
        fake_answer(p, r->stream, CQL_OP_AUTH_SUCCESS, SLICE_LIT("\377\377\377\377"));
    else
        fake_error(p, r->stream, 0x0100, "who are you?");
    buf_free(&want);
}

static void on_request(struct fake_peer *p, const struct fake_request *r)
{
    struct fake *fake = p->fake;
    if (r->version > fake->version) {
        p->version = fake->version;
        fake_error(p, r->stream, 0x000A, "unsupported protocol version");
        fake_hang_up(p);
        return;
    }
    p->version = r->version;
    fake->options += r->opcode == CQL_OP_OPTIONS;
    fake->prepares += r->opcode == CQL_OP_PREPARE;
    fake->registers += r->opcode == CQL_OP_REGISTER;
    if (fake->dead)
        return;
    if (r->opcode == CQL_OP_OPTIONS) {
        send_supported(p, r->stream);
    } else if (r->opcode == CQL_OP_STARTUP) {
        on_startup(p, r);
    } else if (r->opcode == CQL_OP_AUTH_RESPONSE) {
        on_login(p, r);
    } else if (r->opcode == CQL_OP_REGISTER) {
        fake_answer(p, r->stream, CQL_OP_READY, SLICE_LIT(""));
    } else if (r->opcode != CQL_OP_QUERY || !answer_system(p, r)) {
        fake->requests++;
        if (fake->on_request)
            fake->on_request(fake, r);
        else
            fake_void(p, r->stream);
    }
}

static size_t take_frame(struct fake_peer *p, struct slice bytes)
{
    if (bytes.len < CQL_FRAME_HEADER)
        return 0;
    struct cql_reader r = cql_reader_of(bytes);
    struct fake_request request = {.peer = p, .version = cql_read_u8(&r)};
    const uint8_t flags = cql_read_u8(&r);
    request.stream = cql_read_u16(&r);
    request.opcode = cql_read_u8(&r);
    const size_t len = (size_t)cql_read_i32(&r);
    request.body = cql_read_raw(&r, len);
    if (r.bad)
        return 0;
    assert(!(flags & 1)); /* no test sends compressed v4 bodies to a fake */
    on_request(p, &request);
    return CQL_FRAME_HEADER + len;
}

static size_t take_segment(struct fake_peer *p, struct slice bytes)
{
    struct cql_segment segment;
    size_t used;
    struct err err;
    if (cql_segment_decode(bytes, p->lz4, &segment, &used, &err) != CQL_STEP_DONE)
        return 0;
    if (!cql_segment_unpack(&segment, &p->plain, &err))
        abort();
    p->fake->segments++;
    size_t at = 0, frame;
    while (!p->closing &&
           (frame = take_frame(p, slice_of(p->plain.ptr + at, p->plain.len - at))) > 0)
        at += frame;
    memmove(p->plain.ptr, p->plain.ptr + at, p->plain.len - at);
    p->plain.len -= at;
    return used;
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct fake_peer *p = handle->data;
    if (--p->handles > 0)
        return;
    struct fake_peer **at = &p->fake->peers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->fake->open--;
    buf_free(&p->in);
    buf_free(&p->plain);
    buf_free(&p->out);
    buf_free(&p->cipher);
    SSL_free(p->ssl);
    free(p);
}

void fake_reset(struct fake_peer *p)
{
    if (p->closing)
        return;
    p->closing = true;
    uv_close((uv_handle_t *)&p->drip, on_peer_closed);
    if (uv_tcp_close_reset(&p->tcp, on_peer_closed) != 0)
        uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

void fake_hang_up(struct fake_peer *p)
{
    if (p->closing)
        return;
    p->closing = true;
    uv_close((uv_handle_t *)&p->drip, on_peer_closed);
    uv_close((uv_handle_t *)&p->tcp, on_peer_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct fake_peer *p = handle->data;
    struct buf *to = p->ssl ? &p->cipher : &p->in;
    *buf = uv_buf_init(buf_reserve(to, suggested), (unsigned)suggested);
}

static size_t decrypt(struct fake_peer *p, size_t len)
{
    BIO_write(SSL_get_rbio(p->ssl), p->cipher.ptr, (int)len);
    size_t got = 0;
    int rc;
    while ((rc = SSL_read(p->ssl, buf_reserve(&p->in, got + 16384) + got, 16384)) > 0)
        got += (size_t)rc;
    send_cipher(p);
    X509 *shown = SSL_get1_peer_certificate(p->ssl);
    p->fake->asked |= shown != NULL;
    X509_free(shown);
    return got;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    (void)buf;
    struct fake_peer *p = stream->data;
    if (len < 0) {
        fake_hang_up(p);
        return;
    }
    p->in.len += p->ssl ? decrypt(p, (size_t)len) : (size_t)len;
    size_t at = 0, used = 1;
    while (!p->closing && used > 0) {
        const struct slice rest = slice_of(p->in.ptr + at, p->in.len - at);
        used = p->segments ? take_segment(p, rest) : take_frame(p, rest);
        at += used;
    }
    memmove(p->in.ptr, p->in.ptr + at, p->in.len - at);
    p->in.len -= at;
}

static void on_connection(uv_stream_t *listener, int rc)
{
    struct fake *fake = listener->data;
    assert(rc == 0);
    struct fake_peer *p = mem_zalloc(sizeof *p);
    p->fake = fake;
    p->next = fake->peers;
    fake->peers = p;
    fake->connections++;
    fake->open++;
    p->handles = 2;
    uv_tcp_init(listener->loop, &p->tcp);
    uv_idle_init(listener->loop, &p->drip);
    p->tcp.data = p;
    p->drip.data = p;
    if (fake->tls) {
        p->ssl = SSL_new(fake->tls);
        SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(p->ssl);
    }
    uv_accept(listener, (uv_stream_t *)&p->tcp);
    uv_tcp_nodelay(&p->tcp, 1);
    uv_read_start((uv_stream_t *)&p->tcp, on_alloc, on_read);
}

void fake_listen_again(struct fake *fake, struct io_loop *loop)
{
    uv_tcp_init(io_loop_uv(loop), &fake->listener);
    fake->listener.data = fake;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", fake->port, &address);
    uv_tcp_bind(&fake->listener, (const struct sockaddr *)&address, 0);
    const int rc = uv_listen((uv_stream_t *)&fake->listener, 64, on_connection);
    if (rc != 0)
        abort();
    int len = sizeof address;
    uv_tcp_getsockname(&fake->listener, (struct sockaddr *)&address, &len);
    fake->port = ntohs(address.sin_port);
    snprintf(fake->address, sizeof fake->address, "127.0.0.1:%u", fake->port);
}

void fake_tls(struct fake *fake, const char *cert, const char *key, const char *ca)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM);
    if (ca) {
        SSL_CTX_load_verify_file(ctx, ca);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    SSL_CTX_free(fake->tls);
    fake->tls = ctx;
}

void fake_start(struct fake *fake, struct io_loop *loop)
{
    if (!fake->version)
        fake->version = 5;
    fake_listen_again(fake, loop);
}

void fake_stop_listening(struct fake *fake)
{
    if (!uv_is_closing((uv_handle_t *)&fake->listener))
        uv_close((uv_handle_t *)&fake->listener, NULL);
}

void fake_close(struct fake *fake)
{
    fake_stop_listening(fake);
    for (struct fake_peer *p = fake->peers; p; p = p->next)
        fake_hang_up(p);
    SSL_CTX_free(fake->tls);
    fake->tls = NULL;
}
