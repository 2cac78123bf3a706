#ifndef JOB_CHECK_FIT_H
#define JOB_CHECK_FIT_H

#include "base/json.h"
#include "cql/type.h"

/* Whether a field of the index takes what a column of a type sends. Pure. Only what the server
 * would refuse counts: _source keeps values as they were sent, whatever the index makes of them. */
enum check_fit {
    CHECK_FITS,
    CHECK_FITS_SOME, /* some values of the column are refused */
    CHECK_REFUSES,   /* (nearly) all are */
    CHECK_WIDER,     /* all are taken, but documents may hold values that the column can't */
};

/* definition: the field's object in the mapping. why: for all but CHECK_FITS, which goes on from
 * "column of type X on field of type Y: "; static. Unknown types fit. */
enum check_fit check_field_fit(const struct cql_type *type, const struct json_node *definition,
                               const char **why);

/* The field's type as the mapping says it; "object" where it has fields of its own. */
struct slice check_field_type(const struct json_node *definition);

/* Whether a date format (parts joined by "||") has one of the parts; null: the default format. */
bool check_format_has(const struct json_node *format, const char *const *parts, size_t count);

#endif
