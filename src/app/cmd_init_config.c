#include "app/command.h"
#include "app/config.h"
#include "app/config_render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of path, one level. */
static void make_folder(const char *path)
{
    struct buf folder = {0};
    const char *slash = strrchr(path, '/');
    buf_append(&folder, path, slash ? (size_t)(slash - path) : 0);
    if (folder.len)
        (void)!mkdir(buf_cstr(&folder), 0700);
    buf_free(&folder);
}

static bool write_all(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t done = write(fd, text.ptr, text.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        text = slice_of(text.ptr + done, text.len - (size_t)done);
    }
    return fsync(fd) == 0;
}

static bool write_new(const char *path, struct slice text, struct err *err)
{
    make_folder(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_CONFIG, "%s is there already; edit it, or name another with -c",
                       path);
    if (fd < 0)
        return err_set(err, ERR_CONFIG, "can't write %s (%s); name another with -c", path,
                       strerror(errno));
    bool fine = write_all(fd, text);
    if (!fine)
        err_set(err, ERR_STATE, "can't write %s (%s)", path, strerror(errno));
    close(fd);
    if (!fine)
        unlink(path);
    return fine;
}

enum exit_code cmd_init_config(const struct command_line *line)
{
    struct buf text = {0};
    struct err err = {0};
    config_render_example(&text);
    if (line->values[OPT_PRINT]) {
        command_print(&text);
        return EXIT_DONE;
    }
    char *path = app_config_new_path(line->values[OPT_CONFIG]);
    bool fine = write_new(path, buf_slice(&text), &err);
    if (fine)
        printf("wrote %s; fill in what is required, then: caes-sync init\n", path);
    free(path);
    buf_free(&text);
    return fine ? EXIT_DONE : command_fail(&err);
}
