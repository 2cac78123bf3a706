#include "cql/error.h"

#include "base/attr.h"

#include <stddef.h>

static const struct {
    int32_t code;
    enum err_code as;
    const char *words;
} errors[] = {
    {CQL_ERROR_SERVER, ERR_UNAVAILABLE, "server error"},
    {CQL_ERROR_PROTOCOL, ERR_PROTOCOL, "protocol error"},
    {CQL_ERROR_CREDENTIALS, ERR_AUTH, "login refused"},
    {CQL_ERROR_UNAVAILABLE, ERR_UNAVAILABLE, "too few replicas are up"},
    {CQL_ERROR_OVERLOADED, ERR_OVERLOADED, "coordinator is overloaded"},
    {CQL_ERROR_BOOTSTRAPPING, ERR_UNAVAILABLE, "coordinator is bootstrapping"},
    {CQL_ERROR_TRUNCATE, ERR_UNAVAILABLE, "truncation failed"},
    {CQL_ERROR_WRITE_TIMEOUT, ERR_TIMEOUT, "write timed out"},
    {CQL_ERROR_READ_TIMEOUT, ERR_TIMEOUT, "read timed out"},
    {CQL_ERROR_READ_FAILURE, ERR_UNAVAILABLE, "read failed on a replica"},
    {CQL_ERROR_FUNCTION_FAILURE, ERR_REQUEST, "function failed"},
    {CQL_ERROR_WRITE_FAILURE, ERR_UNAVAILABLE, "write failed on a replica"},
    {CQL_ERROR_CDC_WRITE_FAILURE, ERR_OVERLOADED, "no room for change data capture"},
    {CQL_ERROR_CAS_UNKNOWN, ERR_TIMEOUT, "outcome of the conditional write is unknown"},
    {CQL_ERROR_SYNTAX, ERR_SCHEMA, "syntax error"},
    {CQL_ERROR_UNAUTHORIZED, ERR_AUTH, "not permitted"},
    {CQL_ERROR_INVALID, ERR_REQUEST, "invalid request"},
    {CQL_ERROR_CONFIG, ERR_SCHEMA, "invalid configuration of a schema object"},
    {CQL_ERROR_ALREADY_EXISTS, ERR_REQUEST, "exists already"},
    {CQL_ERROR_UNPREPARED, ERR_UNAVAILABLE, "statement is not prepared"},
};

/* Codes of servers to come: 1xxx are failures of execution, 2xxx refusals. */
static enum err_code class_of_unknown(int32_t code)
{
    return code >> 12 == 2 ? ERR_REQUEST : ERR_UNAVAILABLE;
}

bool cql_error_decode(struct cql_reader message, bool preparing, struct cql_server_error *error,
                      struct err *err)
{
    *error = (struct cql_server_error){.code = cql_read_i32(&message)};
    error->text = cql_read_string(&message);
    if (error->code == CQL_ERROR_UNPREPARED)
        error->prepared_id = cql_read_string(&message);
    if (message.bad)
        return err_set(err, ERR_PROTOCOL, "an error of the server is cut off");

    enum err_code as = class_of_unknown(error->code);
    const char *words = "server error";
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (errors[i].code == error->code) {
            as = errors[i].as;
            words = errors[i].words;
        }
    }
    if (preparing && as == ERR_REQUEST)
        as = ERR_SCHEMA;
    err_set(err, as, "%s (0x%04X): %.*s%s", words, (unsigned)error->code, SLICE_ARG(error->text),
            error->code == CQL_ERROR_UNAUTHORIZED ? "; grant it, or take another login" : "");
    return true;
}
