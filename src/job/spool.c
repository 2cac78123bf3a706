#include "job/spool.h"

#include "base/mem.h"
#include "job/temporary.h"

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
    return job_temporary_fail(folder, "can't be used", err);
}

struct job_spool *job_spool_new(const char *folder, struct err *err)
{
    const int fd = job_temporary_open(folder, err);
    if (fd < 0)
        return NULL;
    FILE *file = fdopen(fd, "w+");
    if (!file) {
        fail(err, folder);
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
