#ifndef MAP_CODEC_H
#define MAP_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cql/type.h"

/* How one CQL type looks in JSON and back: value for value without loss, or refused with the
 * reason. There is one row for each type in codec.c; the functions live with their family.
 *
 * A cell is a value in its CQL encoding. Functions of a codec never see null; those that read
 * cells must expect any bytes, those that read JSON any node. Errors: ERR_VALUE without the name
 * of the field, which the caller puts before it. Writers may leave half of their output behind
 * when they fail. */

typedef bool map_to_json_fn(const struct cql_type *type, struct slice cell, struct buf *out,
                            struct err *err);
typedef bool map_from_json_fn(const struct cql_type *type, const struct json_node *node,
                              struct arena *arena, struct slice *cell, struct err *err);
typedef bool map_to_text_fn(const struct cql_type *type, struct slice cell, struct buf *out,
                            struct err *err);
typedef bool map_from_text_fn(const struct cql_type *type, struct slice text, struct arena *arena,
                              struct slice *cell, struct err *err);

struct map_codec {
    enum cql_type_id id;
    const char *name;        /* in CQL */
    const char *field;       /* type of its field in an Elasticsearch mapping from 5.0 on */
    const char *legacy;      /* the same before 5.0 */
    uint32_t size;           /* of every cell; 0: varies */
    bool empty;              /* a cell of no bytes is a value like any other */
    bool many;               /* different bytes may be the same value: the shortest are canonical */
    map_to_json_fn *to_json; /* NULL: to_text in quotes */
    map_from_json_fn *from_json; /* NULL: from_text of a string */
    map_to_text_fn *to_text;     /* the one canonical text; NULL: can't be part of a key */
    map_from_text_fn *from_text; /* reads at least what to_text writes */
};

/* NULL: a type that can't be mapped. Static. */
const struct map_codec *map_codec_find(enum cql_type_id id);

/* Any cell but null as JSON. */
MUST_USE bool map_codec_to_json(const struct map_codec *codec, const struct cql_type *type,
                                struct slice cell, struct buf *out, struct err *err);
/* Any node; JSON's null is a null cell. The cell lives in arena. */
MUST_USE bool map_codec_from_json(const struct map_codec *codec, const struct cql_type *type,
                                  const struct json_node *node, struct arena *arena,
                                  struct slice *cell, struct err *err);
/* For keys: codec->to_text must not be NULL. A null cell is refused. */
MUST_USE bool map_codec_to_text(const struct map_codec *codec, const struct cql_type *type,
                                struct slice cell, struct buf *out, struct err *err);

/* The front of a value as errors show it, always UTF-8; *behind is "…" when it was cut. */
struct slice map_excerpt(struct slice value, const char **behind);
/* For the families: what is said of a value that does not fit, cut to a readable length. */
bool map_refuse(struct err *err, struct slice value, const char *why, const char *type_name);
/* "a string for a column of type int" */
bool map_refuse_node(struct err *err, const struct json_node *node, const char *type_name);

#endif
