#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

/* The records that everything in bench/ moves: about 300 bytes as a document, a key and seven
 * columns that don't compress well; the same number gives the same record. */

enum { RECORD_COLUMNS = 8 }; /* the key first */
/* Old records are spread over so many versions, so that hardly any lies in a first window. */
enum { RECORD_VERSIONS = 4000 };

struct record_column {
    const char *name;
    const char *cql;     /* type */
    uint16_t type_id;    /* v5 specification section 4.2.5.2 */
    const char *elastic; /* type; NULL: the key */
};
extern const struct record_column record_columns[RECORD_COLUMNS];

struct record {
    char key[16];
    char key_text[37];
    int64_t token;
    uint64_t number;
};

struct record record_make(uint64_t number);
/* The cells as Cassandra holds them. */
void record_cell(const struct record *record, unsigned column, struct buf *out);
/* The document, with its version as the field `timestamp`. */
void record_document(const struct record *record, int64_t version, struct buf *out);
/* count records in the order of their tokens; free with free(). */
struct record *records_by_token(uint64_t count);

#endif
