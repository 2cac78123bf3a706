#include "app/logging_file.h"

#include "base/clock.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOG_MODE = 0600 }; /* lines name keys of records */

struct logging_file {
    const struct logging_handler *handler;
    int fd;            /* -1: to be opened again */
    int64_t size;      /* bytes in it */
    int64_t rotate_at; /* LOGGING_TIMED: s since 1970 */
};

static void split_time(const struct logging_handler *h, int64_t at, struct tm *out)
{
    time_t seconds = (time_t)at;
    if (h->utc)
        gmtime_r(&seconds, out);
    else
        localtime_r(&seconds, out);
}

/* The end of the period that holds the time at. */
static int64_t period_end(const struct logging_handler *h, int64_t at)
{
    if (!h->at_midnight)
        return at + h->period;
    struct tm day;
    split_time(h, at, &day);
    int weekday = (day.tm_wday + 6) % 7;
    int days = h->weekday < 0 ? (int)(h->period / 86400) : (h->weekday - weekday + 7) % 7 + 1;
    day.tm_mday += days;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    return h->utc ? timegm(&day) : mktime(&day);
}

static bool open_fd(struct logging_file *f, bool truncate)
{
    struct stat info = {0};
    f->fd = open(f->handler->file,
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                     (truncate ? O_TRUNC : 0),
                 LOG_MODE);
    if (f->fd < 0)
        return false;
    bool known = fstat(f->fd, &info) == 0;
    f->size = known ? info.st_size : 0;
    int64_t from = known && f->size > 0 ? info.st_mtime : clock_wall_us() / 1000000;
    if (f->handler->kind == LOGGING_TIMED)
        f->rotate_at = period_end(f->handler, from);
    return true;
}

struct logging_file *logging_file_open(const struct logging_handler *handler, struct err *err)
{
    struct logging_file *f = mem_zalloc(sizeof *f);
    f->handler = handler;
    if (open_fd(f, handler->truncate))
        return f;
    err_set(err, ERR_CONFIG, "%s: can't write %s (%s); name a file that can be written",
            handler->where, handler->file, strerror(errno));
    free(f);
    return NULL;
}

static void close_fd(struct logging_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

static void backup_name(const struct logging_file *f, int64_t number, struct buf *out)
{
    buf_clear(out);
    buf_append_str(out, f->handler->file);
    if (number)
        buf_printf(out, ".%lld", (long long)number);
}

static void rotate_numbers(struct logging_file *f)
{
    struct buf from = {0};
    struct buf to = {0};
    close_fd(f);
    for (int64_t i = f->handler->backup_count; i > 0; i--) {
        backup_name(f, i - 1, &from);
        backup_name(f, i, &to);
        /* What is not there yet leaves a gap. */
        (void)!rename(buf_cstr(&from), buf_cstr(&to));
    }
    buf_free(&from);
    buf_free(&to);
    open_fd(f, false);
}

/* Whether name is that of a rotated file: "<base>.2026-11-23…". */
static bool is_backup(const char *name, const char *base)
{
    size_t len = strlen(base);
    return strncmp(name, base, len) == 0 && name[len] == '.' && strlen(name + len) > 10 &&
           strspn(name + len + 1, "0123456789-_") == strlen(name + len + 1);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void remove_oldest(const char *folder, char **names, size_t count, size_t keep)
{
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        struct buf path = {0};
        buf_printf(&path, "%s/%s", folder, names[i]);
        if (i + keep < count)
            unlink(buf_cstr(&path));
        buf_free(&path);
        free(names[i]);
    }
}

static void prune(const struct logging_file *f)
{
    const char *slash = strrchr(f->handler->file, '/');
    char *folder = slash ? mem_strndup(f->handler->file, (size_t)(slash - f->handler->file) + 1)
                         : mem_strdup(".");
    struct buf names = {0};
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (is_backup(entry->d_name, slash ? slash + 1 : f->handler->file)) {
            char *name = mem_strdup(entry->d_name);
            buf_append(&names, &name, sizeof name);
        }
    }
    if (dir)
        closedir(dir);
    if (names.len)
        remove_oldest(folder, (char **)(void *)names.ptr, names.len / sizeof(char *),
                      (size_t)f->handler->backup_count);
    buf_free(&names);
    free(folder);
}

/* The old file is named after the beginning of its period; an hour more, because a day may have
 * 23 hours. */
static void rotate_time(struct logging_file *f, int64_t now)
{
    const struct logging_handler *h = f->handler;
    struct tm parts;
    char suffix[64];
    struct buf to = {0};
    split_time(h, f->rotate_at - h->period + (h->at_midnight ? 3600 : 0), &parts);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    strftime(suffix, sizeof suffix, h->suffix, &parts);
#pragma GCC diagnostic pop
    buf_printf(&to, "%s.%s", h->file, suffix);
    close_fd(f);
    (void)!rename(h->file, buf_cstr(&to));
    buf_free(&to);
    if (h->backup_count > 0)
        prune(f);
    open_fd(f, false);
    f->rotate_at = period_end(h, now);
}

static void write_all(struct logging_file *f, struct slice line)
{
    while (line.len > 0) {
        ssize_t done = write(f->fd, line.ptr, line.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        f->size += done;
        line = slice_of(line.ptr + done, line.len - (size_t)done);
    }
}

void logging_file_write(struct logging_file *f, struct slice line, int64_t now_us)
{
    const struct logging_handler *h = f->handler;
    if (f->fd < 0 && !open_fd(f, false))
        return;
    if (h->kind == LOGGING_ROTATING && h->max_bytes > 0 && h->backup_count > 0 && f->size > 0 &&
        f->size + (int64_t)line.len > h->max_bytes)
        rotate_numbers(f);
    if (h->kind == LOGGING_TIMED && now_us / 1000000 >= f->rotate_at)
        rotate_time(f, now_us / 1000000);
    if (f->fd >= 0)
        write_all(f, line);
}

void logging_file_reopen(struct logging_file *f)
{
    close_fd(f);
    open_fd(f, false);
}

void logging_file_close(struct logging_file *f)
{
    if (!f)
        return;
    close_fd(f);
    free(f);
}
