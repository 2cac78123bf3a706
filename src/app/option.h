#ifndef APP_OPTION_H
#define APP_OPTION_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one table of options: it drives the parser, the example that init-config writes, `help
 * configuration` and the reference page. */

enum option_type {
    OPTION_BOOL,        /* bool */
    OPTION_INT,         /* int64_t */
    OPTION_DURATION,    /* int64_t, ms */
    OPTION_SECONDS,     /* int64_t, s: a duration of whole seconds */
    OPTION_OVERLAP,     /* struct config_overlap */
    OPTION_ENUM,        /* an enum, by place in choices */
    OPTION_STRING,      /* const char * */
    OPTION_INDEX,       /* const char *, an index name */
    OPTION_IDENTIFIER,  /* const char *, a keyspace or table */
    OPTION_PATH,        /* const char *, made absolute */
    OPTION_SECRET,      /* const char *; <name>File reads it from a file */
    OPTION_LIST,        /* struct config_list; one string counts as a list of one */
    OPTION_PAIRS,       /* struct config_pairs, from a map */
    OPTION_HOSTS,       /* struct config_list of URLs, with user and password aside */
    OPTION_HTTP_AUTH,   /* "user:password" or [user, password] */
    OPTION_POINTS,      /* struct config_list of "host" or "host:port" */
    OPTION_REPLICATION, /* struct config_pairs */
    OPTION_LZ4,         /* bool; also the word lz4 */
};

enum option_scope { OPTION_PROCESS, OPTION_PIPELINE };

enum option_support {
    OPTION_SUPPORTED,
    OPTION_NO_USE, /* taken for the seed's sake; a warning says why it does nothing */
};

struct config_option {
    const char *path; /* in a file of the flat form */
    enum option_type type;
    enum option_scope scope;
    size_t offset;        /* in struct app_config or struct config_pipeline */
    const char *fallback; /* as text in the file, or NULL: none */
    int64_t min, max;     /* of numbers and durations (ms, or s for OPTION_SECONDS) */
    const char *choices;  /* OPTION_ENUM: "a|b|c" */
    const char *word;     /* OPTION_DURATION: a word that stands for 0 */
    bool required;
    bool driver; /* the old spelling of another option */
    enum option_support support;
    const char *help; /* one line */
};

/* Borrowed for ever. */
const struct config_option *option_table(size_t *count);
/* Exact path; NULL: none. */
const struct config_option *option_find(const char *path);
/* Whether some option's path lies below path. */
bool option_is_section(const char *path);
enum { OPTION_PATH_MAX = 64 };
/* A plausible correction of the last name of path, within its section, or a full path of
 * elsewhere that ends in that name. False: none. */
MUST_USE bool option_nearest(const char *path, char out[OPTION_PATH_MAX]);
/* What option_table's driver sections don't take: the modern key for one of the drivers' many
 * arguments, or NULL. */
const char *option_modern(const char *path);
/* One line about a section, "CassandraConfig"; NULL: none. */
const char *option_section_help(const char *path);

#endif
