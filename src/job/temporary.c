#include "job/temporary.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool job_temporary_fail(const char *folder, const char *what, struct err *err)
{
    return err_set(err, ERR_STATE, "temporary file in %s: %s (%s); make room there", folder, what,
                   strerror(errno));
}

int job_temporary_open(const char *folder, struct err *err)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    struct buf path = {0}; /* not every file system knows O_TMPFILE */
    buf_printf(&path, "%s/caes-XXXXXX", folder);
    buf_append_char(&path, '\0');
    fd = mkostemp(path.ptr, O_CLOEXEC);
    if (fd >= 0)
        unlink(path.ptr);
    buf_free(&path);
    if (fd < 0)
        job_temporary_fail(folder, "can't be made", err);
    return fd;
}
