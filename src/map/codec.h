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
    const char *name;            /* in CQL */
    uint32_t size;               /* of every cell; 0: varies */
    bool empty;                  /* a cell of no bytes is a value like any other */
    map_to_json_fn *to_json;     /* NULL: to_text in quotes */
    map_from_json_fn *from_json; /* NULL: from_text of a string */
    map_to_text_fn *to_text;     /* the one canonical text, for keys; NULL: none */
    map_from_text_fn *from_text; /* reads at least what to_text writes */
    const char *field;           /* type of its field in an Elasticsearch mapping from 5.0 on */
    const char *legacy;          /* the same before 5.0; both NULL: that of the elements */
    const char *json, *example, *note; /* its form in JSON, for people; the last two may be NULL */
};

/* Of a value inside of another, or of a key; types must be resolved (map/user_type.h). NULL: a type
 * that can't be mapped. Static. */
const struct map_codec *map_codec_find(enum cql_type_id id);
/* Of a column's own value: also map/codec_any.h. */
const struct map_codec *map_codec_of_column(const struct cql_type *type);
/* All of them in no order; those without a name are none. */
const struct map_codec *map_codec_list(size_t *count);
/* Whether it is a map whose keys have a text form, so that its values are objects. */
bool map_codec_is_named(const struct cql_type *type);
/* Whether its values are objects, or may be. */
bool map_codec_is_object(const struct cql_type *type);

/* A column's value, not null, as JSON. */
MUST_USE bool map_codec_to_json(const struct map_codec *codec, const struct cql_type *type,
                                struct slice cell, struct buf *out, struct err *err);
/* Any node as a column's value. JSON's null, an empty collection, and a user-defined type that
 * isn't frozen and has only nulls, are a null cell; what is no array is an array of one for a list
 * or a set. The cell lives in arena. */
MUST_USE bool map_codec_from_json(const struct map_codec *codec, const struct cql_type *type,
                                  const struct json_node *node, struct arena *arena,
                                  struct slice *cell, struct err *err);
/* For keys: codec->to_text must not be NULL. A null cell is refused. */
MUST_USE bool map_codec_to_text(const struct map_codec *codec, const struct cql_type *type,
                                struct slice cell, struct buf *out, struct err *err);

/* For the families: values inside of others; null is null. */
MUST_USE bool map_codec_write(const struct cql_type *type, struct slice cell, struct buf *out,
                              struct err *err);
MUST_USE bool map_codec_read(const struct cql_type *type, const struct json_node *node,
                             struct arena *arena, struct slice *cell, struct err *err);

/* The front of a value as errors show it, always UTF-8; *behind is "…" when it was cut. */
struct slice map_excerpt(struct slice value, const char **behind);
/* For the families: what is said of a value that does not fit, cut to a readable length. */
bool map_refuse(struct err *err, struct slice value, const char *why, const char *type_name);
/* "a string for a column of type int" */
bool map_refuse_node(struct err *err, const struct json_node *node, const char *type_name);

#endif
