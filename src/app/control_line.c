#include "app/control.h"

/* The lines of an answer, as both ends of the socket see them. */

bool control_line_is_last(struct slice line)
{
    static const char *const more[] = {"{\"progress\":", "{\"item\":"};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        const size_t len = strlen(more[i]);
        if (line.len >= len && memcmp(line.ptr, more[i], len) == 0)
            return false;
    }
    return true;
}

void control_append_error(struct buf *out, const struct err *err)
{
    buf_append_str(out, "{\"error\":");
    if (!json_append_string(out, slice_str(err->text)))
        buf_append_str(out, "\"an error that is no text\"");
    buf_printf(out, ",\"code\":%d}", (int)err->code);
}

bool control_line_check(struct slice line, struct err *err)
{
    struct json_doc *doc = json_doc_new();
    bool fine = json_parse(doc, line, false, err);
    const struct json_node *root = fine ? json_root(doc) : NULL;
    const struct json_node *error = json_member(root, "error");
    int64_t code;
    if (error) {
        const struct json_node *number = json_member(root, "code");
        if (!number || !json_int64(number, &code) || code <= ERR_NONE || code >= ERR_CODE_COUNT)
            code = ERR_STATE;
        fine = err_set(err, (enum err_code)code, "%.*s", SLICE_ARG(error->text));
    }
    json_doc_free(doc);
    return fine;
}
