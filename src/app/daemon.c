#include "app/daemon.h"

#include "app/pid_file.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_TIMEOUT_MS = 120000 };

struct daemon_link {
    int fd; /* -1: said all */
};

/* What goes over the pipe, in one write. */
struct message {
    enum exit_code code; /* EXIT_DONE: ready */
    pid_t pid;
    struct err why;
};

static void say(struct daemon_link *link, enum exit_code code, const struct err *why)
{
    struct message message = {.code = code, .pid = getpid()};
    if (why)
        message.why = *why;
    if (link->fd < 0)
        return;
    (void)!write(link->fd, &message, sizeof message);
    close(link->fd);
    link->fd = -1;
}

static void say_text(struct daemon_link *link, enum exit_code code, const char *text)
{
    struct err why = {0};
    err_set(&why, ERR_INTERNAL, "%s", text);
    say(link, code, &why);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}

void daemon_ready(struct daemon_link *link)
{
    if (!link)
        return;
    leave_terminal();
    say(link, EXIT_DONE, NULL);
}

void daemon_failed(struct daemon_link *link, const struct err *why)
{
    if (link)
        say(link, exit_code_of(why->code), why);
}

/* What the caller has open (a lock of a script, a pipe that somebody reads to its end) is not the
 * daemon's to keep. */
static void close_others(int kept)
{
    (void)!close_range(STDERR_FILENO + 1, (unsigned)kept - 1, 0);
    (void)!close_range((unsigned)kept + 1, ~0U, 0);
}

/* The first child: leads the session, so that its child can't get a terminal again. */
static void run_child(daemon_fn *fn, void *ctx, int fd)
{
    struct daemon_link link = {.fd = fd};
    if (setsid() < 0) {
        say_text(&link, EXIT_STATE, "can't start a session");
        _exit(EXIT_STATE);
    }
    pid_t pid = fork();
    if (pid < 0)
        say_text(&link, EXIT_STATE, "can't start a process");
    if (pid != 0)
        _exit(pid < 0 ? EXIT_STATE : EXIT_DONE);
    umask(077);
    close_others(fd);
    enum exit_code code = chdir("/") == 0 ? fn(ctx, &link) : EXIT_STATE;
    if (link.fd >= 0)
        say_text(&link, code ? code : EXIT_STATE, "the daemon ended before it was up; see its log");
    exit(code);
}

static pid_t await(int fd, enum exit_code *code, struct err *err)
{
    struct message message = {.code = EXIT_STATE};
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&waiting, 1, READY_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    *code = EXIT_STATE;
    if (ready == 0) {
        err_set(err, ERR_TIMEOUT, "the daemon is not up after %d s; see its log",
                READY_TIMEOUT_MS / 1000);
        return -1;
    }
    if (ready < 0 || read(fd, &message, sizeof message) != (ssize_t)sizeof message) {
        err_set(err, ERR_INTERNAL, "the daemon ended before it was up; see its log");
        return -1;
    }
    *code = message.code;
    if (message.code == EXIT_DONE)
        return message.pid;
    if (err)
        *err = message.why;
    return -1;
}

pid_t daemon_start(daemon_fn *fn, void *ctx, enum exit_code *code, struct err *err)
{
    int ends[2];
    *code = EXIT_STATE;
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_set(err, ERR_INTERNAL, "no pipe: %s", strerror(errno));
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(fn, ctx, ends[1]);
    }
    close(ends[1]);
    pid_t pid = -1;
    if (child < 0) {
        err_set(err, ERR_INTERNAL, "can't start a process: %s", strerror(errno));
    } else {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        pid = await(ends[0], code, err);
    }
    close(ends[0]);
    return pid;
}

pid_t daemon_stop(const char *pid_file, unsigned timeout_ms, struct err *err)
{
    const struct timespec moment = {0, 20000000};
    const int64_t until = clock_mono_us() + (int64_t)timeout_ms * 1000;
    pid_t pid = pid_file_owner(pid_file, err);
    if (pid <= 0)
        return pid;
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        err_set(err, ERR_STATE, "can't stop process %d (%s)", (int)pid, strerror(errno));
        return -1;
    }
    while (clock_mono_us() < until) {
        pid_t owner = pid_file_owner(pid_file, err);
        if (owner < 0)
            return -1;
        if (owner != pid)
            return pid;
        nanosleep(&moment, NULL);
    }
    err_set(err, ERR_TIMEOUT,
            "process %d still runs after %u s; wait for it to finish its batch, or kill -9 %d",
            (int)pid, timeout_ms / 1000, (int)pid);
    return -1;
}
