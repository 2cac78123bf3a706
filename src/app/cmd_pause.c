#include "app/command.h"

#include "app/remote.h"
#include "base/json.h"

#include <stdio.h>

static void on_line(void *ctx UNUSED, struct slice line UNUSED)
{
}

static bool has_changed(struct slice result)
{
    struct json_doc *doc = json_doc_new();
    const struct json_node *changed =
        json_parse(doc, result, false, NULL) ? json_member(json_root(doc), "changed") : NULL;
    const bool yes = changed && changed->type == JSON_TRUE;
    json_doc_free(doc);
    return yes;
}

/* words: what is said when it has changed something, and when not. */
static enum exit_code ask(const struct command_line *line, struct slice request,
                          const char *const words[2])
{
    struct session s = {0};
    struct err err = {0};
    struct buf result = {0};
    const bool fine =
        session_open(&s, line, &err) && remote_run(&s, request, on_line, NULL, &result, &err);
    session_close(&s);
    if (!fine) {
        buf_free(&result);
        return command_fail(&err);
    }
    if (line->values[OPT_JSON])
        printf("%s\n", buf_cstr(&result));
    else
        printf("%s\n", words[!has_changed(buf_slice(&result))]);
    buf_free(&result);
    return EXIT_DONE;
}

enum exit_code cmd_pause(const struct command_line *line)
{
    static const char *const words[] = {"paused; caes-sync resume goes on", "paused already"};
    return ask(line, SLICE_LIT("{\"command\":\"pause\"}"), words);
}

enum exit_code cmd_resume(const struct command_line *line)
{
    static const char *const words[] = {"goes on", "not paused"};
    return ask(line, SLICE_LIT("{\"command\":\"resume\"}"), words);
}
