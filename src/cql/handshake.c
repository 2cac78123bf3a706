#include "cql/handshake.h"

#include "cql/answer.h"
#include "cql/error.h"
#include "cql/message.h"

#include <stdio.h>

enum cql_opcode cql_handshake_opcode(const struct cql_handshake *handshake)
{
    switch (handshake->step) {
    case CQL_HANDSHAKE_STARTUP:
        return CQL_OP_STARTUP;
    case CQL_HANDSHAKE_LOGIN:
        return CQL_OP_AUTH_RESPONSE;
    case CQL_HANDSHAKE_LOCAL:
        return CQL_OP_QUERY;
    default:
        return CQL_OP_OPTIONS;
    }
}

void cql_handshake_request(const struct cql_handshake *handshake, struct buf *body)
{
    const struct cql_statement local = {
        .text = SLICE_LIT("SELECT release_version, data_center, host_id FROM system.local "
                          "WHERE key = 'local'"),
    };
    const struct cql_execution once = {.consistency = CQL_ONE};
    switch (handshake->step) {
    case CQL_HANDSHAKE_STARTUP:
        cql_encode_startup(body, handshake->lz4 ? "lz4" : NULL);
        break;
    case CQL_HANDSHAKE_LOGIN:
        cql_encode_auth_response(body, handshake->username,
                                 handshake->password ? handshake->password : "");
        break;
    case CQL_HANDSHAKE_LOCAL:
        cql_encode_query(body, handshake->version, &local, &once);
        break;
    default:
        break;
    }
}

static bool on_error(struct cql_handshake *handshake, struct cql_reader message, struct err *err)
{
    struct cql_server_error error;
    if (!cql_error_decode(message, false, &error, err))
        return false;
    handshake->version_refused =
        error.code == CQL_ERROR_PROTOCOL && handshake->step <= CQL_HANDSHAKE_STARTUP;
    if (error.code == CQL_ERROR_CREDENTIALS)
        err_set(err, ERR_AUTH, "login refused: %.*s; look at username and password",
                SLICE_ARG(error.text));
    return false;
}

static bool on_authenticate(struct cql_handshake *handshake, struct cql_reader message,
                            struct err *err)
{
    const struct slice class = cql_read_string(&message);
    if (!handshake->username)
        return err_set(err, ERR_AUTH,
                       "the server asks for a login (%.*s), none is configured; give username and "
                       "password",
                       SLICE_ARG(class));
    handshake->step = CQL_HANDSHAKE_LOGIN;
    return true;
}

static void copy_text(char *out, size_t size, struct slice text)
{
    snprintf(out, size, "%.*s", SLICE_ARG(text));
}

static bool on_local(struct cql_handshake *handshake, struct cql_reader message, struct err *err)
{
    struct arena arena = {0};
    struct cql_metadata columns;
    struct cql_result result;
    struct slice new_id, cells[3];
    bool ok = cql_answer_result(message, NULL, &arena, &columns, &result, &new_id, err);
    if (ok && result.columns->count == 3) {
        struct cql_cursor cursor = cql_rows(&result);
        if (cql_next(&cursor, cells)) {
            copy_text(handshake->release, sizeof handshake->release, cells[0]);
            copy_text(handshake->datacenter, sizeof handshake->datacenter, cells[1]);
            if (cells[2].len == sizeof handshake->host_id)
                memcpy(handshake->host_id, cells[2].ptr, sizeof handshake->host_id);
        }
    }
    arena_free(&arena);
    handshake->step = CQL_HANDSHAKE_READY;
    return ok;
}

bool cql_handshake_answer(struct cql_handshake *handshake, const struct cql_frame *answer,
                          struct err *err)
{
    struct cql_reader message;
    struct slice warning;
    if (!cql_frame_open(answer, &message, &warning, err))
        return false;
    const enum cql_handshake_step step = handshake->step;
    switch (answer->opcode) {
    case CQL_OP_ERROR:
        return on_error(handshake, message, err);
    case CQL_OP_SUPPORTED:
        if (step != CQL_HANDSHAKE_OPTIONS)
            break;
        handshake->lz4 =
            cql_read_multimap_has(&message, "COMPRESSION", "lz4") && handshake->compression;
        handshake->step = CQL_HANDSHAKE_STARTUP;
        return true;
    case CQL_OP_READY:
        if (step != CQL_HANDSHAKE_STARTUP)
            break;
        handshake->step = CQL_HANDSHAKE_LOCAL;
        return true;
    case CQL_OP_AUTHENTICATE:
        if (step != CQL_HANDSHAKE_STARTUP)
            break;
        return on_authenticate(handshake, message, err);
    case CQL_OP_AUTH_CHALLENGE:
        return err_set(err, ERR_AUTH, "the server asks for another way of login than PLAIN");
    case CQL_OP_AUTH_SUCCESS:
        if (step != CQL_HANDSHAKE_LOGIN)
            break;
        handshake->step = CQL_HANDSHAKE_LOCAL;
        return true;
    case CQL_OP_RESULT:
        if (step != CQL_HANDSHAKE_LOCAL)
            break;
        return on_local(handshake, message, err);
    default:
        break;
    }
    return err_set(err, ERR_PROTOCOL, "unexpected answer (opcode 0x%02X) during the handshake",
                   answer->opcode);
}
