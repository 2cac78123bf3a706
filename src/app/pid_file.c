#include "app/pid_file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct pid_file {
    int fd;
    char *path;
};

static void make_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = mem_strndup(path, slash ? (size_t)(slash - path) : 0);
    /* One level: when more is missing, opening the file says so. */
    if (folder[0])
        (void)!mkdir(folder, 0700);
    free(folder);
}

/* Between open and flock the owner may have removed the file: then its lock is worth nothing. */
static bool still_there(int fd, const char *path)
{
    struct stat opened;
    struct stat named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static pid_t read_pid(int fd)
{
    char text[24];
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    long pid = strtol(text, NULL, 10);
    return pid > 0 ? (pid_t)pid : 0;
}

static bool refuse(int fd, const char *path, struct err *err)
{
    if (errno == EWOULDBLOCK)
        err_set(err, ERR_RUNNING,
                "running already (pid %d, %s); stop it first, or give this one another state",
                (int)read_pid(fd), path);
    else
        err_set(err, ERR_STATE, "can't lock %s (%s)", path, strerror(errno));
    close(fd);
    return false;
}

/* pid_file_owner holds the lock for a moment too. */
static bool take_lock(int fd)
{
    const struct timespec moment = {0, 5000000};
    for (int tries = 0; tries < 20; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&moment, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

static bool lock_once(const char *path, int *fd, bool *again, struct err *err)
{
    *again = false;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (*fd < 0)
        return err_set(err, ERR_STATE, "can't open %s (%s); give a pidFile that can be written",
                       path, strerror(errno));
    if (!take_lock(*fd))
        return refuse(*fd, path, err);
    if (still_there(*fd, path))
        return true;
    close(*fd);
    *again = true;
    return err_set(err, ERR_STATE, "%s does not stay in its place", path);
}

/* A mistaken path must not cost anybody a file: only what holds a number, or nothing, is ours. */
static bool looks_ours(int fd, const char *path, struct err *err)
{
    char text[24];
    ssize_t len = pread(fd, text, sizeof text, 0);
    if (len > 0 && text[len - 1] == '\n')
        len--;
    ssize_t digits = 0;
    while (digits < len && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    const bool all = digits >= len && len < (ssize_t)sizeof text;
    return all ||
           err_set(err, ERR_STATE, "%s is no pid file; give another pidFile, or remove it", path);
}

static bool write_pid(int fd, const char *path, struct err *err)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len)
        return true;
    return err_set(err, ERR_STATE, "can't write %s (%s)", path, strerror(errno));
}

struct pid_file *pid_file_lock(const char *path, struct err *err)
{
    int fd;
    bool again;
    bool locked;
    int tries = 10;
    make_folder(path);
    do
        locked = lock_once(path, &fd, &again, err);
    while (again && --tries > 0);
    if (!locked)
        return NULL;
    if (!looks_ours(fd, path, err) || !write_pid(fd, path, err)) {
        close(fd);
        return NULL;
    }
    struct pid_file *file = mem_zalloc(sizeof *file);
    file->fd = fd;
    file->path = mem_strdup(path);
    return file;
}

void pid_file_release(struct pid_file *file)
{
    if (!file)
        return;
    if (still_there(file->fd, file->path))
        unlink(file->path);
    close(file->fd);
    free(file->path);
    free(file);
}

/* A shared lock for a moment: refused when somebody holds the file. That one may not have written
 * its number yet. */
static pid_t owner_of(int fd)
{
    for (int tries = 0; tries < 50; tries++) {
        if (flock(fd, LOCK_SH | LOCK_NB) == 0)
            return 0;
        pid_t pid = read_pid(fd);
        if (pid)
            return pid;
        const struct timespec moment = {0, 10000000};
        nanosleep(&moment, NULL);
    }
    return -1;
}

pid_t pid_file_owner(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0) {
        err_set(err, ERR_STATE, "can't read %s (%s)", path, strerror(errno));
        return -1;
    }
    pid_t pid = owner_of(fd);
    close(fd);
    if (pid < 0)
        err_set(err, ERR_STATE, "%s is locked, but holds no process id", path);
    return pid;
}
