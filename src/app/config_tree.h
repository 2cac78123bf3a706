#ifndef APP_CONFIG_TREE_H
#define APP_CONFIG_TREE_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

/* A YAML text as a tree that remembers lines and the way to each node, so that every complaint
 * can name them. Aliases and "<<" merge keys are resolved, ${NAME} is replaced in values. */

enum config_kind { CONFIG_NULL, CONFIG_SCALAR, CONFIG_LIST, CONFIG_MAP };

struct config_node {
    enum config_kind kind;
    unsigned line;                    /* of its key where it has one */
    const struct config_node *parent; /* NULL: the root */
    const char *key;                  /* in its parent map, else NULL */
    size_t index;                     /* in its parent */
    const char *text;                 /* CONFIG_SCALAR, without NUL bytes inside */
    bool hidden; /* a variable's value is in text: never to be shown in a message */
    size_t count;
    const struct config_node *const *items; /* CONFIG_LIST, CONFIG_MAP */
    size_t weight;                          /* nodes with aliases spelled out */
};

enum {
    CONFIG_TEXT_MAX = 1024 * 1024, /* bytes of a file */
    CONFIG_DEPTH_MAX = 32,
    CONFIG_NODES_MAX = 100000, /* with aliases spelled out */
    CONFIG_KEYS_MAX = 1000,    /* of one map */
    CONFIG_ANCHORS_MAX = 1000,
    CONFIG_KEY_LEN_MAX = 200,
};

struct config_doc {
    const char *file; /* for messages; borrowed */
    struct slice text;
    /* The value of an environment variable, or NULL. */
    const char *(*env)(void *ctx, const char *name);
    void *env_ctx;
    struct arena *arena;
    const struct config_node *root; /* a map (an empty text: one without members) */
};

/* Fills doc->root; all nodes live in doc->arena. Errors: ERR_CONFIG, "FILE:LINE: key: what is
 * wrong; what to do". */
MUST_USE bool config_tree_read(struct config_doc *doc, struct err *err);

/* A member of a map by name, or NULL. Null values count as absent. */
const struct config_node *config_tree_get(const struct config_node *map, const char *key);
/* The node's own path, "CassandraConfig.driver.port" or "pipelines[1].name", cut to fit. */
const char *config_tree_path(const struct config_node *node, char *out, size_t size);

/* Sets "FILE:LINE: path[.member]: …"; member may be NULL. Returns false. */
bool config_fail(const struct config_doc *doc, const struct config_node *node, const char *member,
                 struct err *err, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
