#ifndef STATUS_TEMPLATE_H
#define STATUS_TEMPLATE_H

#include "base/buf.h"
#include "base/json.h"

/* The part of Mustache that a page needs: {{name}} is a member of the model, escaped for HTML;
 * {{#name}}…{{/name}} is there once for a value that is neither missing, null, false nor "", and
 * once for each item of an array; {{^name}}…{{/name}} is there when it would not be; {{>name}} is a
 * part, as it stands. Names that the innermost object lacks are looked for in those around it. */
struct template_part {
    const char *name;
    struct slice text;
};

/* The template is our own: mistakes in it are left out of the page. */
void template_render(struct slice text, const struct json_node *model,
                     const struct template_part *parts, size_t count, struct buf *out);
/* Text for HTML, also within quotes. */
void template_escape(struct slice text, struct buf *out);

#endif
