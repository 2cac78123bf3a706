#include "app/config.h"

#include "app/config_tree.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char system_file[] = "/etc/caes-sync/config.yaml";
enum { SECRET_FILE_MAX = 64 * 1024 };

static bool read_fd(int fd, size_t max, struct buf *out, struct err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return err_set(err, ERR_CONFIG, "not a regular file");
    for (;;) {
        ssize_t got = read(fd, buf_reserve(out, 4096), 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_CONFIG, "%s", strerror(errno));
        if (got == 0)
            return true;
        out->len += (size_t)got;
        if (out->len > max)
            return err_set(err, ERR_CONFIG, "larger than %zu bytes", max);
    }
}

/* O_NONBLOCK: a FIFO must not hang the start. */
static bool read_file(const char *path, size_t max, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set(err, ERR_CONFIG, "%s", strerror(errno));
    bool ok = read_fd(fd, max, out, err);
    close(fd);
    return ok;
}

static bool secret_file(void *ctx, const char *path, struct buf *out, struct err *err)
{
    (void)ctx;
    return read_file(path, SECRET_FILE_MAX, out, err);
}

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static const char *home_dir(void)
{
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return home;
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : "/";
}

struct app_config *app_config_load(const char *path, struct err *err)
{
    struct buf text = {0};
    struct app_config *config = NULL;
    struct err why = {0};
    if (!read_file(path, CONFIG_TEXT_MAX, &text, &why)) {
        err_set(err, ERR_CONFIG, "%s:1: can't read it (%s); give a readable file with -c", path,
                why.text);
    } else {
        struct config_source source = {.file = path,
                                       .text = buf_slice(&text),
                                       .home = home_dir(),
                                       .env = env,
                                       .secret_file = secret_file};
        config = app_config_parse(&source, err);
    }
    if (text.ptr)
        explicit_bzero(text.ptr, text.cap);
    buf_free(&text);
    return config;
}

/* The daemon leaves its folder. */
static char *absolute(const char *path)
{
    char here[4096];
    struct buf full = {0};
    if (path[0] != '/' && getcwd(here, sizeof here))
        buf_printf(&full, "%s/", here);
    buf_append_str(&full, path);
    char *copy = mem_strdup(buf_cstr(&full));
    buf_free(&full);
    return copy;
}

static const char *named(const char *given)
{
    const char *name = given ? given : getenv("CAES_CONFIG");
    return name && name[0] ? name : NULL;
}

char *app_config_new_path(const char *given)
{
    struct buf own = {0};
    buf_printf(&own, "%s/.caes/config.yaml", home_dir());
    char *path = absolute(named(given) ? named(given) : buf_cstr(&own));
    buf_free(&own);
    return path;
}

char *app_config_find(const char *given, struct err *err)
{
    char *own = app_config_new_path(given);
    if (named(given) || access(own, F_OK) == 0)
        return own;
    if (access(system_file, F_OK) == 0) {
        free(own);
        return mem_strdup(system_file);
    }
    err_set(
        err, ERR_CONFIG,
        "no configuration: neither %s nor %s is there; write one with caes-sync init-config, or "
        "name one with -c",
        own, system_file);
    free(own);
    return NULL;
}
