#ifndef APP_PLAIN_H
#define APP_PLAIN_H

#include "base/buf.h"
#include "base/json.h"

/* Foreign text for a terminal: what that would obey becomes a blank. */
void plain_append(struct buf *out, struct slice text);
/* A member's text, or its JSON where it is no string; "-" where there is none. */
void plain_append_member(struct buf *out, const struct json_node *object, const char *name);

#endif
