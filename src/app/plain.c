#include "app/plain.h"

void plain_append(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        buf_append_char(out, c < 0x20 || c == 0x7f ? ' ' : text.ptr[i]);
    }
}

void plain_append_member(struct buf *out, const struct json_node *object, const char *name)
{
    const struct json_node *node = json_member(object, name);
    plain_append(out, !node ? SLICE_LIT("-") : node->type == JSON_STRING ? node->text : node->raw);
}
