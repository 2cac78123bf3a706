#include "app/helper.h"

#include "app/daemon.h"
#include "app/pid_file.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/caes-daemon-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/sub/state.pid", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); // NOLINT: a path of our own making
}

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_lock(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(pid_file_owner(path, &err), 0);
    struct pid_file *file = pid_file_lock(path, &err);
    assert_non_null(file);
    assert_int_equal(pid_file_owner(path, &err), getpid());
    assert_null(pid_file_lock(path, &err));
    assert_int_equal(err.code, ERR_RUNNING);
    char want[64];
    snprintf(want, sizeof want, "running already (pid %d, ", (int)getpid());
    assert_memory_equal(err.text, want, strlen(want));
    pid_file_release(file);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(pid_file_owner(path, &err), 0);
}

/* What a crash leaves behind names a process that is alive, but is not the daemon. */
static void test_recycled_pid(void **state)
{
    (void)state;
    struct err err = {0};
    char text[32];
    snprintf(text, sizeof text, "%d\n", (int)getppid());
    write_file(text);
    assert_int_equal(pid_file_owner(path, &err), 0);
    assert_int_equal(daemon_stop(path, 1000, &err), 0);
    struct pid_file *file = pid_file_lock(path, &err);
    assert_non_null(file);
    assert_int_equal(pid_file_owner(path, &err), getpid());
    pid_file_release(file);
}

static void test_killed_owner(void **state)
{
    (void)state;
    struct err err = {0};
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct pid_file *file = pid_file_lock(path, NULL);
        (void)!write(ends[1], file ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(pid_file_owner(path, &err), child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(pid_file_owner(path, &err), 0);
    struct pid_file *file = pid_file_lock(path, &err);
    assert_non_null(file);
    pid_file_release(file);
    close(ends[0]);
    close(ends[1]);
}

/* A mistaken pidFile costs nobody a file. */
static void test_not_a_pid_file(void **state)
{
    (void)state;
    struct err err = {0};
    struct stat info;
    static const char *const texts[] = {"interval: 10\n", "1 2", "SQLite format 3",
                                        "1234567890123456789012345678901234567890x"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        write_file(texts[i]);
        assert_null(pid_file_lock(path, &err));
        assert_int_equal(err.code, ERR_STATE);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, strlen(texts[i]));
    }
    write_file("");
    struct pid_file *file = pid_file_lock(path, &err);
    assert_non_null(file);
    pid_file_release(file);
}

static void test_no_place(void **state)
{
    (void)state;
    struct err err = {0};
    assert_null(pid_file_lock("/proc/no/such/place.pid", &err));
    assert_int_equal(err.code, ERR_STATE);
}

static volatile sig_atomic_t ended;
static void on_term(int number)
{
    (void)number;
    ended = 1;
}

static enum exit_code good_daemon(void *ctx, struct daemon_link *link)
{
    const char *stubborn = ctx;
    struct err err = {0};
    struct pid_file *file = pid_file_lock(path, &err);
    if (!file) {
        daemon_failed(link, &err);
        return exit_code_of(err.code);
    }
    signal(SIGTERM, stubborn ? SIG_IGN : on_term); // NOLINT: a test
    daemon_ready(link);
    for (int i = 0; i < 1000 && !ended; i++)
        usleep(10000);
    pid_file_release(file);
    return EXIT_DONE;
}

static enum exit_code silent_daemon(void *ctx, struct daemon_link *link)
{
    (void)ctx;
    (void)link;
    return EXIT_SERVER;
}

static enum exit_code dying_daemon(void *ctx, struct daemon_link *link)
{
    (void)ctx;
    (void)link;
    raise(SIGKILL);
    return EXIT_DONE;
}

static void test_start_stop(void **state)
{
    (void)state;
    struct err err = {0};
    enum exit_code code;
    pid_t pid = daemon_start(good_daemon, NULL, &code, &err);
    assert_true(pid > 0);
    assert_int_equal(code, EXIT_DONE);
    assert_int_equal(pid_file_owner(path, &err), pid);
    assert_int_not_equal(getsid(pid), getsid(0));

    assert_int_equal(daemon_start(good_daemon, NULL, &code, &err), -1);
    assert_int_equal(code, EXIT_RUNNING);
    assert_non_null(strstr(err.text, "running already"));

    assert_int_equal(daemon_stop(path, 5000, &err), pid);
    assert_int_equal(pid_file_owner(path, &err), 0);
    assert_int_equal(daemon_stop(path, 5000, &err), 0);
}

/* Who reads what start says to its end is not held up by the daemon. */
static void test_leaves_descriptors(void **state)
{
    (void)state;
    struct err err = {0};
    enum exit_code code;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    assert_true(daemon_start(good_daemon, NULL, &code, &err) > 0);
    close(ends[1]);
    struct pollfd waiting = {.fd = ends[0]};
    assert_int_equal(poll(&waiting, 1, 5000), 1);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    assert_true(daemon_stop(path, 5000, &err) > 0);
}

static void test_stop_times_out(void **state)
{
    (void)state;
    struct err err = {0};
    enum exit_code code;
    static char stubborn[] = "yes";
    pid_t pid = daemon_start(good_daemon, stubborn, &code, &err);
    assert_true(pid > 0);
    assert_int_equal(daemon_stop(path, 200, &err), -1);
    assert_int_equal(err.code, ERR_TIMEOUT);
    kill(pid, SIGKILL);
}

static void test_failed_start(void **state)
{
    (void)state;
    struct err err = {0};
    enum exit_code code;
    assert_int_equal(daemon_start(silent_daemon, NULL, &code, &err), -1);
    assert_int_equal(code, EXIT_SERVER);
    assert_int_equal(daemon_start(dying_daemon, NULL, &code, &err), -1);
    assert_int_equal(code, EXIT_STATE);
    assert_string_equal(err.text, "the daemon ended before it was up; see its log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lock),           cmocka_unit_test(test_recycled_pid),
        cmocka_unit_test(test_killed_owner),   cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_start_stop),     cmocka_unit_test(test_stop_times_out),
        cmocka_unit_test(test_failed_start),   cmocka_unit_test(test_leaves_descriptors),
        cmocka_unit_test(test_not_a_pid_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
