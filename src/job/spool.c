#include "job/spool.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct job_spool {
    const char *folder;
    FILE *file;
    char *line;
    size_t room;
    bool reading;
};

static bool fail(struct err *err, const char *folder)
{
    return err_set(err, ERR_STATE, "temporary file in %s: %s; make room there", folder,
                   strerror(errno));
}

struct job_spool *job_spool_new(const char *folder, struct err *err)
{
    struct buf path = {0}; /* O_TMPFILE is not known everywhere */
    buf_printf(&path, "%s/caes-spool-XXXXXX", folder);
    buf_append_char(&path, '\0');
    const int fd = mkostemp(path.ptr, O_CLOEXEC);
    if (fd >= 0)
        unlink(path.ptr);
    buf_free(&path);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (!file) {
        fail(err, folder);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct job_spool *s = mem_zalloc(sizeof *s);
    s->folder = folder;
    s->file = file;
    return s;
}

void job_spool_free(struct job_spool *s)
{
    if (!s)
        return;
    (void)fclose(s->file); /* nobody needs it any more */
    free(s->line);
    free(s);
}

bool job_spool_add(struct job_spool *s, struct slice line, struct err *err)
{
    return (fwrite(line.ptr, 1, line.len, s->file) == line.len && fputc('\n', s->file) != EOF) ||
           fail(err, s->folder);
}

bool job_spool_next(struct job_spool *s, struct slice *line, struct err *err)
{
    if (!s->reading && (fflush(s->file) != 0 || fseek(s->file, 0, SEEK_SET) != 0))
        return fail(err, s->folder);
    s->reading = true;
    const ssize_t len = getline(&s->line, &s->room, s->file);
    *line = len > 0 ? slice_of(s->line, (size_t)len - 1) : SLICE_NULL;
    return len > 0 || feof(s->file) || fail(err, s->folder);
}
