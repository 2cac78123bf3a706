#include "map/reference.h"

#include "map/codec.h"
#include "map/codec_any.h"
#include "map/propose.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    const struct map_codec *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

enum { CODECS_MAX = 64 };

static size_t sorted(const struct map_codec *list[CODECS_MAX])
{
    size_t count, found = 0;
    const struct map_codec *codecs = map_codec_list(&count);
    for (size_t i = 0; i < count && found < CODECS_MAX; i++)
        if (codecs[i].name)
            list[found++] = &codecs[i];
    qsort(list, found, sizeof *list, by_name);
    return found;
}

static const char *field_of(const struct map_codec *codec, bool legacy)
{
    const char *field = legacy ? codec->legacy : codec->field;
    return field ? field : "that of its elements";
}

void map_reference_help(struct buf *out)
{
    const struct map_codec *list[CODECS_MAX];
    const size_t count = sorted(list);
    buf_append_str(out,
                   "CQL types, their form in documents, and the field that init gives them:\n");
    for (size_t i = 0; i < count; i++) {
        const struct map_codec *c = list[i];
        buf_printf(out, "\n%s: %s", c->name, c->json);
        if (c->example)
            buf_printf(out, ", as %s", c->example);
        buf_printf(out, "\n    field %s", field_of(c, false));
        if (strcmp(field_of(c, false), field_of(c, true)) != 0)
            buf_printf(out, " (before 5.0 %s)", field_of(c, true));
        if (c->note)
            buf_printf(out, "; %s", c->note);
        buf_append_char(out, '\n');
    }
    buf_append_str(out, "\nMore: docs/types.md, which caes-sync help types --markdown prints.\n");
}

static void append_field(const char *field, struct buf *out)
{
    if (field)
        buf_printf(out, " | `%s`", field);
    else
        buf_append_str(out, " | that of its elements");
}

static void append_pair(void *ctx, const char *field, const char *column)
{
    buf_printf(ctx, "| `%s` | `%s` |\n", field, column);
}

static const char head[] =
    "# Types\n\n"
    "Made by `caes-sync help types --markdown` from the tables that the program converts with.\n\n"
    "Values travel both ways without loss, or the record goes to the dead letters with the reason: "
    "nothing is cut or guessed, and nothing is rounded but for numbers of documents in columns of "
    "type float and double, as Elasticsearch's own fields of these types do. Numbers are taken "
    "from the digits that stand in the JSON, never through a floating-point number of another "
    "type.\n\n"
    "| CQL | in documents | for example | field that `init` makes | before 5.0 | |\n"
    "| --- | --- | --- | --- | --- | --- |\n";

static const char body[] =
    "\nCollections may be frozen or not, and nested, together with tuples, vectors and "
    "user-defined "
    "types, up to 16 levels deep. Inside of a value its parts have the forms of this table.\n\n"
    "## When values are equal\n\n"
    "- The order of a set's elements and of a map's entries does not count, nor do repeated "
    "elements "
    "of a set in a document. What is written is in Cassandra's own order, also inside of other "
    "values, where Cassandra does not sort.\n"
    "- Null, a missing field and an empty collection are the same for a column. Inside of another "
    "value an empty collection is a value of its own. So is a frozen user-defined type that has "
    "only "
    "nulls; Cassandra keeps no such value where it isn't frozen.\n"
    "- `1.0` is 1 for an `int`, but the decimals `1.0` and `1.00` differ. As elements of one set, "
    "or "
    "keys of one map, they are one for Cassandra: the set keeps one of them, the map is "
    "refused.\n\n"
    "## Fields\n\n"
    "- The mapping that `init` makes is explicit and closed (`dynamic: false`).\n"
    "- Maps, tuples, and user-defined types with names that no field can have, or more than 500 "
    "fields, are kept but not indexed: `{\"type\": \"object\", \"enabled\": false}`.\n"
    "- A user-defined type is an object with its fields as properties. A document must not write "
    "`\"address.city\": …` for a part of one.\n"
    "- A `vector<float, n>` of up to 4,096 dimensions that is a column, or a field of a column's "
    "user-defined type, is a `dense_vector` with `similarity: l2_norm` from Elasticsearch 8.11 "
    "on: it comes back bit for bit. With `cosine`, the server's default, it would not: since 9.2 "
    "vectors are kept apart from `_source`, and for cosine normalised. Elsewhere, and on "
    "OpenSearch, it is an array of numbers. The server refuses a `dense_vector` whose squares "
    "add up to more than a float holds (values of about 1e19): a dead letter.\n- An index with a "
    "`dense_vector` has its documents written anew by the server: a decimal that an application "
    "writes as a number, not as a string, loses what a double can't hold there.\n"
    "- NaN and the infinities are no JSON: a dead letter, or with `CassandraConfig.nonFinite: "
    "text` "
    "the strings `\"NaN\"`, `\"Infinity\"` and `\"-Infinity\"`, in fields with `ignore_malformed`. "
    "All NaN are one.\n"
    "- Static columns belong to no row: exclude them.\n"
    "- No field can have the name of one of the server's own (`_id`, `_source`, …), or a blank "
    "part between dots: columns with such names need a `rename`, or are excluded.\n\n"
    "## Keys\n\n"
    "Every type with a text form can be part of the primary key: all but collections, tuples, "
    "vectors, user-defined types, and decimals as clustering columns. Those texts, joined by `|` "
    "with "
    "`\\` before a `|` or `\\` in them, are the `_id`. An `_id` that is not exactly the text of a "
    "key, "
    "a key of more than 512 bytes and one without a partition key are dead letters.\n\n"
    "## From an index to a table\n\n"
    "`init` takes these columns for fields, where the table is missing:\n\n"
    "| field | column |\n| --- | --- |\n";

static const char tail[] =
    "| `date` | `timestamp`, `date` or `bigint`, as its format says; `text` for other formats that "
    "no number has |\n"
    "| `dense_vector`, `knn_vector` of floats | `vector<float, n>`; before Cassandra 5.0 "
    "`frozen<list<float>>` |\n"
    "| `alias` | none: it holds nothing |\n"
    "| all others: objects, `nested`, `geo_point`, `geo_shape`, ranges, … | `frozen<" MAP_ANY_TYPE
    ">` |\n\n"
    "A mapping does not tell whether a field holds one value or an array of them: where documents "
    "have arrays, create the table yourself, with a `list` or `set`. Documents with more than the "
    "column takes are dead letters until then.\n\n"
    "### " MAP_ANY_TYPE "\n\n"
    "An object of a document may have any form, and a `geo_point` has five: no column type holds "
    "all "
    "that an index accepts. So the JSON itself is kept, as text in a user-defined type that says "
    "so:\n\n"
    "<!-- docs: names places -->\n\n"
    "```cql\n"
    "CREATE KEYSPACE places WITH replication =\n"
    "  {'class': 'SimpleStrategy', 'replication_factor': 1};\n"
    "USE places;\n"
    "CREATE TYPE " MAP_ANY_TYPE " (" MAP_ANY_FIELD " text);\n"
    "CREATE TABLE data (did uuid PRIMARY KEY, place frozen<" MAP_ANY_TYPE ">);\n"
    "INSERT INTO data (did, place) VALUES (ed31ee76-d49a-4c05-8f0a-6a856a94de8e,\n"
    "  {" MAP_ANY_FIELD ": '{\"lat\":41.12,\"lon\":-71.34}'});\n"
    "SELECT place." MAP_ANY_FIELD " FROM data;\n"
    "```\n\n"
    "Any table may have such columns. White space and escapes in the text don't count; text that "
    "is "
    "no JSON is a dead letter. In documents the value stands as it is, in a field that is not "
    "indexed "
    "unless the index has a mapping of its own for it. Where objects all have one form, a "
    "user-defined "
    "type of your own does better: create it, and the table, before `init`.\n";

void map_reference_markdown(struct buf *out)
{
    const struct map_codec *list[CODECS_MAX];
    const size_t count = sorted(list);
    buf_append_str(out, head);
    for (size_t i = 0; i < count; i++) {
        const struct map_codec *c = list[i];
        buf_printf(out, "| %s | %s | ", c->name, c->json);
        if (c->example)
            buf_printf(out, "`%s`", c->example);
        append_field(c->field, out);
        append_field(c->legacy, out);
        buf_printf(out, " | %s |\n", c->note ? c->note : "");
    }
    buf_append_str(out, body);
    map_propose_list(append_pair, out);
    buf_append_str(out, tail);
}
