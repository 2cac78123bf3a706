#ifndef CQL_ERROR_H
#define CQL_ERROR_H

#include "base/err.h"
#include "base/slice.h"
#include "cql/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* Errors of the server, v5 specification section 9. */
enum cql_error_code {
    CQL_ERROR_SERVER = 0x0000,
    CQL_ERROR_PROTOCOL = 0x000A,
    CQL_ERROR_CREDENTIALS = 0x0100,
    CQL_ERROR_UNAVAILABLE = 0x1000,
    CQL_ERROR_OVERLOADED = 0x1001,
    CQL_ERROR_BOOTSTRAPPING = 0x1002,
    CQL_ERROR_TRUNCATE = 0x1003,
    CQL_ERROR_WRITE_TIMEOUT = 0x1100,
    CQL_ERROR_READ_TIMEOUT = 0x1200,
    CQL_ERROR_READ_FAILURE = 0x1300,
    CQL_ERROR_FUNCTION_FAILURE = 0x1400,
    CQL_ERROR_WRITE_FAILURE = 0x1500,
    CQL_ERROR_CDC_WRITE_FAILURE = 0x1600,
    CQL_ERROR_CAS_UNKNOWN = 0x1700,
    CQL_ERROR_SYNTAX = 0x2000,
    CQL_ERROR_UNAUTHORIZED = 0x2100,
    CQL_ERROR_INVALID = 0x2200,
    CQL_ERROR_CONFIG = 0x2300,
    CQL_ERROR_ALREADY_EXISTS = 0x2400,
    CQL_ERROR_UNPREPARED = 0x2500,
};

struct cql_server_error {
    int32_t code;
    struct slice text;
    struct slice prepared_id; /* UNPREPARED, else null */
};

/* Reads an ERROR's body into both; false (err: ERR_PROTOCOL) when it is cut off. preparing: it
 * answers a PREPARE, whose refusal is about the schema and not about one record's values. */
MUST_USE bool cql_error_decode(struct cql_reader message, bool preparing,
                               struct cql_server_error *error, struct err *err);

#endif
