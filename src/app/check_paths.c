#include "app/check_paths.h"

#include "app/pid_file.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { ROOM_MIN_MB = 100 };

static void judge_room(struct check_findings *f, const char *where, const char *folder)
{
    struct statvfs fs;
    if (statvfs(folder, &fs) != 0)
        return;
    const unsigned long long room = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
    if (room < ROOM_MIN_MB)
        check_add(f, CHECK_WARNING, where, "make room, or take another disk",
                  "%s has %llu MB left: without room nothing is synced", folder, room);
}

/* The folder of path, or the nearest one above that is there. */
static void judge_folder(struct check_findings *f, const char *where, const char *path)
{
    struct buf folder = {0};
    struct stat st;
    int failure = 0;
    buf_append_str(&folder, path);
    do {
        const char *slash = strrchr(buf_cstr(&folder), '/');
        folder.len = slash && slash > folder.ptr ? (size_t)(slash - folder.ptr) : 1;
        failure = stat(buf_cstr(&folder), &st) == 0 ? 0 : errno;
    } while (failure == ENOENT && folder.len > 1);
    if (!failure && !S_ISDIR(st.st_mode))
        failure = ENOTDIR;
    if (!failure && access(buf_cstr(&folder), W_OK | X_OK) != 0)
        failure = errno;
    if (failure)
        check_add(f, CHECK_ERROR, where,
                  check_text(f, "let the user of the daemon write there, or name another place"),
                  "%s can't be made in %s: %s", path, buf_cstr(&folder), strerror(failure));
    else
        judge_room(f, where, buf_cstr(&folder));
    buf_free(&folder);
}

void check_path(struct check_findings *f, const char *where, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 && errno == ENOENT) {
        judge_folder(f, where, path);
        return;
    }
    int failure = access(path, R_OK | W_OK) == 0 ? 0 : errno;
    if (!failure && !S_ISREG(st.st_mode))
        failure = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    if (failure)
        check_add(f, CHECK_ERROR, where,
                  "let the user of the daemon write there, or name another place",
                  "%s can't be used: %s", path, strerror(failure));
    else
        judge_room(f, where, path);
}

static bool is_loopback(const struct addrinfo *address)
{
    char host[64];
    return getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, NULL, 0,
                       NI_NUMERICHOST) == 0 &&
           (strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0);
}

static int try_bind(const struct addrinfo *address)
{
    const int on = 1;
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const int failure = bind(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    close(fd);
    return failure;
}

static void judge_address(struct check_findings *f, const char *where,
                          const struct app_config *config, const struct addrinfo *address)
{
    const int failure = pid_file_owner(config->pid_file, NULL) > 0 ? 0 : try_bind(address);
    if (failure)
        check_add(f, CHECK_ERROR, where, "take another address, or end who listens there",
                  "%s can't be listened on: %s", config->http.listen, strerror(failure));
    if (!is_loopback(address) && !config->http.token)
        check_add(f, CHECK_WARNING, where, "set http.token, or listen on 127.0.0.1",
                  "%s can be reached from elsewhere, and no token is asked for",
                  config->http.listen);
}

void check_listen(struct check_findings *f, const char *where, const struct app_config *config)
{
    char host[256];
    const char *colon = strrchr(config->http.listen, ':');
    size_t len = colon ? (size_t)(colon - config->http.listen) : 0;
    const char *from = config->http.listen;
    if (len > 1 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    }
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (strcmp(config->http.listen, "off") == 0)
        return;
    if (colon && len < sizeof host) {
        memcpy(host, from, len);
        host[len] = '\0';
        if (getaddrinfo(len ? host : NULL, colon + 1, &hints, &found) != 0)
            found = NULL;
    }
    if (found)
        judge_address(f, where, config, found);
    else
        check_add(f, CHECK_ERROR, where, "write it as 127.0.0.1:8686",
                  "\"%s\" is no address and port of this machine", config->http.listen);
    if (found)
        freeaddrinfo(found);
}
