#include "io/http_call.h"

#include "base/json.h"
#include "base/mem.h"
#include "io/http_aws.h"
#include "io/tls.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { TRANSFER_BUFFER = 256 << 10 };

static size_t on_bytes(char *data, size_t size, size_t count, void *ctx)
{
    struct io_http_call *call = ctx;
    const size_t len = size * count, max = call->options->answer_max;
    if (len > max - call->answer.len) {
        call->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (call->answer.len == 0) {
        curl_off_t expected = 0;
        curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
        if (expected > 0 && (uint64_t)expected <= max)
            buf_reserve(&call->answer, (size_t)expected + JSON_PADDING);
    }
    buf_append(&call->answer, data, len);
    return len;
}

/* Level 1: on the loop's thread speed matters more than the last tenth. */
static bool compress_body(const struct buf *body, struct buf *out)
{
    enum { GZIP_WINDOW = 15 + 16, MEMORY = 8 };
    z_stream z = {0};
    if (body->len > UINT32_MAX / 2 ||
        deflateInit2(&z, 1, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    const size_t bound = deflateBound(&z, body->len);
    z.next_in = (Bytef *)body->ptr;
    z.avail_in = (uInt)body->len;
    z.next_out = (Bytef *)buf_reserve(out, bound);
    z.avail_out = (uInt)bound;
    const bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->len = z.total_out;
    deflateEnd(&z);
    return done;
}

static void add_header(struct io_http_call *call, const char *name, const char *value)
{
    struct buf line = {0};
    buf_printf(&line, "%s: %s", name, value);
    call->headers = curl_slist_append(call->headers, buf_cstr(&line));
    explicit_bzero(line.ptr, line.len);
    buf_free(&line);
}

static size_t on_body_wanted(char *out, size_t size, size_t count, void *ctx)
{
    struct io_http_call *call = ctx;
    const size_t left = call->body.len - call->body_sent, room = size * count;
    const size_t len = left < room ? left : room;
    if (len > 0)
        memcpy(out, call->body.ptr + call->body_sent, len);
    call->body_sent += len;
    return len;
}

/* A body that curl can't rewind is never sent a second time. */
static void set_body_once(struct io_http_call *call)
{
    curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(call->easy, CURLOPT_READFUNCTION, on_body_wanted);
    curl_easy_setopt(call->easy, CURLOPT_READDATA, call);
}

/* Otherwise curl asks for leave to send a large body and waits up to a second for it. A header that
 * is taken away would be signed all the same. */
static void dont_ask_for_leave(struct io_http_call *call)
{
    if (call->sign)
        curl_easy_setopt(call->easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    else
        call->headers = curl_slist_append(call->headers, "Expect:");
}

static void set_body(struct io_http_call *call, const struct io_http_request *request)
{
    const size_t limit = call->options->gzip_above;
    call->body = *request->body;
    *request->body = (struct buf){0};
    struct buf small = {0};
    if (!request->plain && limit > 0 && call->body.len > limit &&
        compress_body(&call->body, &small)) {
        buf_free(&call->body);
        call->body = small;
        add_header(call, "Content-Encoding", "gzip");
    } else {
        buf_free(&small);
    }
    add_header(call, "Content-Type", request->content_type);
    dont_ask_for_leave(call);
    if (request->once)
        set_body_once(call);
    else
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body.ptr ? call->body.ptr : "");
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
}

static void set_login(struct io_http_call *call, const struct io_http_login *login)
{
    if (login->aws.access_key) {
        io_http_aws_sign(call, &login->aws);
    } else if (login->api_key) {
        struct buf value = {0};
        buf_printf(&value, "ApiKey %s", login->api_key);
        add_header(call, "Authorization", buf_cstr(&value));
        explicit_bzero(value.ptr, value.len);
        buf_free(&value);
    } else if (login->username) {
        curl_easy_setopt(call->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(call->easy, CURLOPT_USERNAME, login->username);
        curl_easy_setopt(call->easy, CURLOPT_PASSWORD, login->password ? login->password : "");
    }
}

static void set_tls(CURL *easy, const struct io_http_options *options)
{
    const long verify = options->tls.no_verify ? 0 : 1;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (options->tls.ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->tls.ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's are trusted, too */
    }
    if (options->tls.cert)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, options->tls.cert);
    if (options->tls.key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, options->tls.key);
}

static void set_transfer(struct io_http_call *call)
{
    CURL *easy = call->easy;
    const struct io_http_options *options = call->options;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->said);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->answer_max);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Otherwise giving a request up waits, with the loop, for the thread that resolves its name. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)TRANSFER_BUFFER);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)TRANSFER_BUFFER);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "caes-sync/" CAES_VERSION);
    if (options->accept_gzip)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static bool set_url(struct io_http_call *call, const char *plain)
{
    struct buf url = {0};
    if (call->sign)
        io_http_aws_url(plain, &url);
    else
        buf_append_str(&url, plain);
    const CURLcode rc = curl_easy_setopt(call->easy, CURLOPT_URL, buf_cstr(&url));
    buf_free(&url);
    return rc == CURLE_OK;
}

struct io_http_call *io_http_call_new(const struct io_http_options *options,
                                      const struct io_http_request *request, struct err *err)
{
    struct io_http_call *call = mem_zalloc(sizeof *call);
    call->options = options;
    call->sign = request->login && request->login->aws.access_key;
    call->easy = curl_easy_init();
    if (!call->easy || !set_url(call, request->url)) {
        io_http_call_free(call);
        err_set(err, ERR_INTERNAL, "curl can't start a request");
        return NULL;
    }
    set_transfer(call);
    set_tls(call->easy, options);
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body)
        set_body(call, request);
    call->elsewhere = request->elsewhere;
    call->once = request->once;
    if (request->login)
        set_login(call, request->login);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return call;
}

void io_http_call_free(struct io_http_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buf_free(&call->body);
    buf_free(&call->answer);
    free(call);
}

static enum err_code code_of(CURLcode rc, const struct io_http_call *call)
{
    curl_off_t connected = 0;
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
        return connected > 0 ? ERR_TIMEOUT : ERR_CONNECTION;
    case CURLE_WRITE_ERROR:
        return call->too_large ? ERR_TOO_LARGE : ERR_CONNECTION;
    case CURLE_FILESIZE_EXCEEDED:
        return ERR_TOO_LARGE;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_URL_MALFORMAT:
        return ERR_CONFIG;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY:
        return ERR_PROTOCOL;
    default:
        return ERR_CONNECTION;
    }
}

bool io_http_call_may_move(const struct io_http_call *call, CURLcode rc, const struct err *err)
{
    curl_off_t connected = 0;
    if (!call->elsewhere || call->cancelled || err->code != ERR_CONNECTION)
        return false;
    if (!call->once)
        return true;
    /* on a used connection, which ended: what became of the next one says nothing of it */
    if (call->body_sent > 0)
        return false;
    curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    return connected == 0 || rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST;
}

bool io_http_call_move(struct io_http_call *call, const char *url)
{
    call->body_sent = 0;
    buf_clear(&call->answer);
    return set_url(call, url);
}

/* curl keeps the verdict on the chain, but not that on the name. */
static void refuse_certificate(const struct io_http_call *call, struct err *err)
{
    long verdict = 0;
    curl_easy_getinfo(call->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    io_tls_refuse(err, verdict);
}

/* OpenSSL's reason stands in curl's words: "error:0A00010B:SSL routines::…". 0: none does. */
static unsigned long tls_reason(const struct io_http_call *call)
{
    static const char mark[] = "error:";
    const char *at = strstr(call->said, mark);
    return at ? strtoul(at + sizeof mark - 1, NULL, 16) : 0;
}

/* A server hangs up, without a word or with one that is lost, on plain HTTP where it speaks TLS,
 * and on a client without a certificate where it wants one. "" for a connection that worked before.
 */
static const char *hung_up(const struct io_http_call *call, CURLcode rc)
{
    const char *scheme = NULL;
    long connects = 0;
    curl_easy_getinfo(call->easy, CURLINFO_SCHEME, &scheme);
    curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
    if ((rc != CURLE_GOT_NOTHING && rc != CURLE_RECV_ERROR && rc != CURLE_SEND_ERROR) ||
        connects == 0 || !scheme)
        return "";
    return strcasecmp(scheme, "http") == 0
               ? "; should this port speak TLS, take https://"
               : "; should it want a client's certificate, look at tls.cert and tls.key";
}

/* What curl says of this very answer, where its name of the error would tell too little. */
static const char *words_of(const struct io_http_call *call, CURLcode rc)
{
    switch (rc) {
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return call->said[0] ? call->said : curl_easy_strerror(rc);
    case CURLE_OUT_OF_MEMORY: /* its bound, not ours */
        return "a line of the answer's head is too long";
    default:
        return curl_easy_strerror(rc);
    }
}

void io_http_call_error(const struct io_http_call *call, CURLcode rc, struct err *err)
{
    const struct io_http_options *options = call->options;
    const enum err_code code = code_of(rc, call);
    const unsigned long reason = tls_reason(call);
    if (code == ERR_TIMEOUT)
        err_set(err, code, "no complete answer within %g s",
                (double)options->total_timeout_ms / 1e3);
    else if (rc == CURLE_OPERATION_TIMEDOUT)
        err_set(err, code, "no connection within %g s", (double)options->connect_timeout_ms / 1e3);
    else if (rc == CURLE_SEND_FAIL_REWIND) /* `once`; curl's words are about itself */
        err_set(err, code, "the connection ended before an answer");
    else if (code == ERR_TOO_LARGE)
        err_set(err, code, "the answer is longer than %zu bytes", options->answer_max);
    else if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_ISSUER_ERROR)
        refuse_certificate(call, err);
    else if (rc == CURLE_SSL_CONNECT_ERROR || reason != 0)
        io_tls_fail(err, reason, "handshake");
    else
        err_set(err, code, "%s%s", words_of(call, rc), hung_up(call, rc));
}
