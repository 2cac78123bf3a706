#include "app/helper.h"

#include <string.h>

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "PW") == 0)
        return "hush-hush";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return strcmp(name, "N") == 0 ? "7" : NULL;
}

static bool secret_file(void *ctx, const char *path, struct buf *out, struct err *err)
{
    (void)ctx;
    if (strcmp(path, "/none") == 0)
        return err_set(err, ERR_CONFIG, "No such file or directory");
    if (strcmp(path, "/aws") == 0) {
        buf_append_str(out, "# by a tool\n[two]\naws_access_key_id = SECOND\n"
                            "aws_secret_access_key = other\r\n\n[default]\n"
                            "aws_access_key_id=AKID\n; no\naws_secret_access_key = hush=hush \n"
                            "aws_session_token =\ttoken==");
        return true;
    }
    buf_append_str(out, strcmp(path, "/secret") == 0 ? "hush-file\n" : "x");
    return true;
}

struct app_config *helper_parse(const char *text, struct err *err)
{
    return helper_parse_file("c.yaml", text, err);
}

struct app_config *helper_parse_file(const char *file, const char *text, struct err *err)
{
    struct config_source source = {.file = file,
                                   .text = slice_str(text),
                                   .home = "/home/u",
                                   .env = env,
                                   .secret_file = secret_file};
    return app_config_parse(&source, err);
}

struct app_config *helper_config(const char *text)
{
    struct err err = {0};
    struct app_config *config = helper_parse(text, &err);
    if (!config)
        fail_msg("%s", err.text);
    return config;
}
