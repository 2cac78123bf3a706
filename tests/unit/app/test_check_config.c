/* What `check` says of a configuration alone. */
#include "app/helper.h"

#include "app/check_config.h"
#include "app/check_paths.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[] = "/tmp/unit_check.XXXXXX";

static const struct check_finding *find(const struct check_findings *f, const char *where,
                                        const char *what)
{
    for (size_t i = 0; i < f->count; i++)
        if (strstr(f->items[i].where, where) && strstr(f->items[i].what, what))
            return &f->items[i];
    return NULL;
}

static struct check_findings check_text_of(const char *es, const char *cassandra, const char *more)
{
    struct check_findings f = {0};
    char text[2048];
    snprintf(text, sizeof text, HELPER_ES "%s" HELPER_CASS "%sstate: %s/state.db\n%s", es,
             cassandra, folder, more);
    struct app_config *config = helper_config(text);
    check_config(config, &config->pipelines[0], &f);
    app_config_free(config);
    return f;
}

static void test_defaults_are_fine(void **state)
{
    (void)state;
    struct check_findings f = check_text_of("", "", "");
    assert_int_equal(check_count(&f, CHECK_ERROR) + check_count(&f, CHECK_WARNING), 0);
    check_findings_free(&f);
}

static const struct {
    const char *es, *cassandra, *more;
    enum check_severity severity;
    const char *where, *what;
} cases[] = {
    {"", "  ttl: 90\n", "interval: 100\nhttp:\n  readyLag: 200\n", CHECK_ERROR,
     "CassandraConfig.ttl (line 6)", "90s"},
    {"", "", "interval: 100\n", CHECK_WARNING, "interval (line 7)", "http.readyLag (60s)"},
    {"", "  ttl: 80\n", "", CHECK_WARNING, "CassandraConfig.ttl (line 6)", "few intervals"},
    {"", "", "sync:\n  overlap: 1500ms\n  settle: 2\n", CHECK_ERROR, "sync.overlap (line 8)",
     "sync.settle (2s)"},
    {"", "", "sync:\n  overlap: 4000ms\n  versionUnit: ms\n", CHECK_WARNING,
     "sync.overlap (line 8)", "is 4s"},
    {"", "", "sync:\n  versionUnit: none\n  overlap: 0\n", CHECK_ERROR, "sync.overlap (line 9)",
     "is 0"},
    {"", "", "sync:\n  settle: 0\n", CHECK_WARNING, "sync.settle (line 8)", "is 0"},
    {"", "", "sync:\n  versionUnit: none\n  maxFutureSkew: 1m\n", CHECK_INFO,
     "sync.maxFutureSkew (line 9)", "no effect"},
    {"", "", "sync:\n  maxFutureSkew: 500ms\n", CHECK_WARNING, "sync.maxFutureSkew (line 8)",
     "500ms"},
    {"  driver:\n    max_retries: 7\n", "", "", CHECK_WARNING,
     "ElasticSearchConfig.driver.max_retries (line 4)", "no effect"},
    {"  hosts: http://search.example\n  username: u\n  password: p\n", "", "", CHECK_WARNING,
     "ElasticSearchConfig.hosts (line 3)", "unencrypted"},
    {"  driver:\n    hosts: http://search.example\n    http_auth: u:p\n", "", "", CHECK_WARNING,
     "ElasticSearchConfig.hosts (line 4)", "unencrypted"},
    {"  tls:\n    verify: false\n", "", "", CHECK_WARNING,
     "ElasticSearchConfig.tls.verify (line 4)", "pose"},
    {"", "  contactPoints: c.example\n  username: u\n  password: p\n", "", CHECK_WARNING,
     "CassandraConfig.contactPoints (line 6)", "unencrypted"},
};

static void test_what_does_not_work_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct check_findings f = check_text_of(cases[i].es, cases[i].cassandra, cases[i].more);
        const struct check_finding *hit = find(&f, cases[i].where, cases[i].what);
        const size_t serious = check_count(&f, CHECK_ERROR) + check_count(&f, CHECK_WARNING);
        if (!hit || hit->severity != cases[i].severity ||
            serious != (cases[i].severity != CHECK_INFO)) {
            struct buf text = {0};
            check_render_text(&f, &text);
            fail_msg("%zu: %s", i, buf_cstr(&text));
        }
        check_findings_free(&f);
    }
}

static void test_logins_on_this_machine_are_fine(void **state)
{
    (void)state;
    struct check_findings f = check_text_of("  hosts: http://127.0.0.1:1\n  apiKey: k\n",
                                            "  username: u\n  password: p\n", "");
    assert_int_equal(check_count(&f, CHECK_WARNING), 0);
    check_findings_free(&f);
}

/* As whom the tests run matters: root may write nearly everywhere. */
static void test_paths(void **state)
{
    (void)state;
    char path[200];
    struct check_findings f = {0};
    snprintf(path, sizeof path, "%s/new/folders/state.db", folder);
    check_path(&f, "state", path);
    assert_int_equal(check_count(&f, CHECK_ERROR), 0);
    snprintf(path, sizeof path, "%s/new", folder);
    assert_int_equal(access(path, F_OK), -1); /* nothing was made */
    check_path(&f, "folder", folder);
    assert_non_null(find(&f, "folder", "directory"));
    check_path(&f, "device", "/dev/null/state.db");
    assert_non_null(find(&f, "device", "Not a directory"));
    check_path(&f, "null", "/dev/null");
    assert_non_null(find(&f, "null", "can't be used"));
    check_path(&f, "proc", "/proc/state.db");
    assert_true(find(&f, "proc", "") || geteuid() == 0);
    check_findings_free(&f);
}

static uint16_t listen_somewhere(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static void test_listening(void **state)
{
    (void)state;
    int fd;
    const uint16_t taken = listen_somewhere(&fd);
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", taken);
    const struct {
        const char *listen, *token;
        enum check_severity severity;
        const char *what;
    } addresses[] = {
        {"127.0.0.1:0", NULL, CHECK_INFO, NULL},
        {"localhost:0", NULL, CHECK_INFO, NULL},
        {"off", NULL, CHECK_INFO, NULL},
        {address, NULL, CHECK_ERROR, "in use"},
        {"0.0.0.0:0", NULL, CHECK_WARNING, "no token"},
        {":0", NULL, CHECK_WARNING, "no token"},
        {"0.0.0.0:0", "secret", CHECK_INFO, NULL},
        {"192.0.2.7:0", "secret", CHECK_ERROR, "can't be listened on"},
        {"8686", NULL, CHECK_ERROR, "no address"},
        {"127.0.0.1:http-of-nobody", NULL, CHECK_ERROR, "no address"},
    };
    char pid_file[200];
    snprintf(pid_file, sizeof pid_file, "%s/none.pid", folder);
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct check_findings f = {0};
        const struct app_config config = {
            .pid_file = pid_file,
            .http = {.listen = addresses[i].listen, .token = addresses[i].token}};
        check_listen(&f, "http.listen", &config);
        if (addresses[i].what ? f.count != 1 || f.items[0].severity != addresses[i].severity ||
                                    !strstr(f.items[0].what, addresses[i].what)
                              : f.count != 0)
            fail_msg("%s: %zu %s", addresses[i].listen, f.count, f.count ? f.items[0].what : "");
        check_findings_free(&f);
    }
    close(fd);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_fine),
        cmocka_unit_test(test_what_does_not_work_together),
        cmocka_unit_test(test_logins_on_this_machine_are_fine),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_listening),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
