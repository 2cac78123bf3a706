#ifndef APP_CONFIG_VALUE_H
#define APP_CONFIG_VALUE_H

#include "app/config.h"
#include "app/config_tree.h"
#include "app/option.h"

/* From a node of the tree to a typed value. */

struct config_reader {
    struct config_doc doc;
    const struct config_source *source;
};

/* Writes the value of option to its offset in base (a struct app_config or config_pipeline).
 * Errors: ERR_CONFIG naming the node. */
MUST_USE bool config_value_read(struct config_reader *r, const struct config_option *option,
                                const struct config_node *node, void *base, struct err *err);
/* The same from the table's text. */
MUST_USE bool config_value_default(struct config_reader *r, const struct config_option *option,
                                   void *base, struct err *err);
/* A secret from the file that node names. */
MUST_USE bool config_value_secret_file(struct config_reader *r, const struct config_option *option,
                                       const struct config_node *node, void *base, struct err *err);

/* The text of a scalar; false with err set for lists and maps and for an empty text. */
MUST_USE bool config_value_text(struct config_reader *r, const struct config_node *node,
                                const char **out, struct err *err);
/* "text" in quotes, shortened, or "the value" where it must not be shown. Borrowed: out. */
const char *config_value_shown(const struct config_node *node, char *out, size_t size);
/* ~/ and relative paths made absolute, in the reader's arena. */
const char *config_value_path(struct config_reader *r, const char *path);
MUST_USE bool config_value_bool(const char *text, bool *out);
MUST_USE bool config_value_int(const char *text, int64_t *out);

#endif
