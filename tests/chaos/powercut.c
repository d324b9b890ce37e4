/*
 * Preloaded into a process, writes down everything that the process asks of the disk under one folder, with content,
 * in the order in which it happens, and the marks that the process sets (faults-threats-speed.md, section 2).
 *
 * Environment: POWERCUT_FOLDER, the folder to watch (absolute, no symbolic links); POWERCUT_LOG, the log to append to.
 * A record: kind (1 byte), file (8, inode), offset or size (8), lengths of first and second part (4 + 4), the parts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char folder[PATH_MAX];
static size_t folder_length;

static void complain(const char *what) {
    fprintf(stderr, "powercut: %s\n", what);
    _exit(99);
}

static void raw_write(const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, size);
        if (done <= 0) complain("the log takes nothing");
        at += done;
        size -= (size_t)done;
    }
}

__attribute__((constructor)) static void start(void) {
    const char *name = getenv("POWERCUT_FOLDER"), *log = getenv("POWERCUT_LOG");
    if (name == NULL || log == NULL) complain("POWERCUT_FOLDER and POWERCUT_LOG must be set");
    snprintf(folder, sizeof folder, "%s", name);
    folder_length = strlen(folder);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) complain("cannot open the log");
}

static void note(char kind, uint64_t file, uint64_t at, const void *one, size_t size, const void *two, size_t more) {
    uint32_t lengths[2] = {(uint32_t)size, (uint32_t)more};
    raw_write(&kind, 1);
    raw_write(&file, 8);
    raw_write(&at, 8);
    raw_write(lengths, 8);
    raw_write(one, size);
    raw_write(two, more);
}

static int watched_path(const char *path) {
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == '\0');
}

/* The path of an open file or folder that is watched; 0 if it is not. A deleted file counts: its name tells. */
static int watched_file(int fd, struct stat *about, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return watched_path(path) && fstat(fd, about) == 0;
}

/* Makes *full* the absolute form of *path*; paths relative to another folder than the current one are not used. */
static void absolute(const char *path, char *full) {
    char here[PATH_MAX];
    if (path[0] == '/' || getcwd(here, sizeof here) == NULL) snprintf(full, PATH_MAX, "%s", path);
    else if (snprintf(full, PATH_MAX, "%s/%s", here, path) >= PATH_MAX) full[0] = '\0';
}

/* The mark of the process itself; called through ctypes. */
void powercut_mark(const char *text) {
    pthread_mutex_lock(&order);
    note('M', 0, 0, text, strlen(text), "", 0);
    pthread_mutex_unlock(&order);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int noted_open(int folder_fd, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    absolute(path, full);
    if ((path[0] != '/' && folder_fd != AT_FDCWD) || !watched_path(full))
        return (int)syscall(SYS_openat, folder_fd, path, flags, mode);
    pthread_mutex_lock(&order);
    int existed = syscall(SYS_faccessat, AT_FDCWD, full, F_OK) == 0;
    int fd = (int)syscall(SYS_openat, folder_fd, path, flags, mode), failure = errno;
    struct stat about;
    if (fd >= 0 && fstat(fd, &about) == 0) {
        if (!existed) note('C', about.st_ino, 0, full, strlen(full), "", 0);
        else if ((flags & O_TRUNC) && S_ISREG(about.st_mode)) note('T', about.st_ino, 0, "", 0, "", 0);
    }
    pthread_mutex_unlock(&order);
    errno = failure;
    return fd;
}

#define OPEN(name)                                                         \
    int name(const char *path, int flags, ...) {                           \
        va_list more;                                                      \
        va_start(more, flags);                                             \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                      \
        return noted_open(AT_FDCWD, path, flags, mode);                    \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                       \
    int name(int folder_fd, const char *path, int flags, ...) {            \
        va_list more;                                                      \
        va_start(more, flags);                                             \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                      \
        return noted_open(folder_fd, path, flags, mode);                   \
    }
OPENAT(openat)
OPENAT(openat64)

static ssize_t noted_write(int fd, const void *bytes, size_t size, off_t at, int at_given) {
    struct stat about;
    char path[PATH_MAX];
    pthread_mutex_lock(&order);
    int watched = fd != log_fd && watched_file(fd, &about, path) && S_ISREG(about.st_mode);
    if (watched && !at_given) {
        at = (fcntl(fd, F_GETFL) & O_APPEND) ? about.st_size : lseek(fd, 0, SEEK_CUR);
        if (at < 0) complain("a position is unknown");
    }
    ssize_t done = at_given ? syscall(SYS_pwrite64, fd, bytes, size, at) : syscall(SYS_write, fd, bytes, size);
    int failure = errno;
    if (watched && done > 0) note('W', about.st_ino, (uint64_t)at, path, strlen(path), bytes, (size_t)done);
    pthread_mutex_unlock(&order);
    errno = failure;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    char path[PATH_MAX];
    struct stat about;
    /* Unwatched ones, such as pipes, may wait for long: not under the lock. */
    if (!watched_file(fd, &about, path)) return syscall(SYS_write, fd, bytes, size);
    return noted_write(fd, bytes, size, 0, 0);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return noted_write(fd, bytes, size, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { return noted_write(fd, bytes, size, at, 1); }

static int noted_truncate(int fd, off_t size) {
    struct stat about;
    char path[PATH_MAX];
    pthread_mutex_lock(&order);
    int watched = watched_file(fd, &about, path);
    int result = (int)syscall(SYS_ftruncate, fd, size), failure = errno;
    if (watched && result == 0) note('T', about.st_ino, (uint64_t)size, "", 0, "", 0);
    pthread_mutex_unlock(&order);
    errno = failure;
    return result;
}
int ftruncate(int fd, off_t size) { return noted_truncate(fd, size); }
int ftruncate64(int fd, off64_t size) { return noted_truncate(fd, size); }

static int noted_sync(int fd, long call) {
    struct stat about;
    char path[PATH_MAX];
    pthread_mutex_lock(&order);
    int watched = watched_file(fd, &about, path);
    int result = (int)syscall(call, fd), failure = errno;
    if (watched && result == 0) note(S_ISDIR(about.st_mode) ? 'D' : 'S', about.st_ino, 0, path, strlen(path), "", 0);
    pthread_mutex_unlock(&order);
    errno = failure;
    return result;
}
int fsync(int fd) { return noted_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return noted_sync(fd, SYS_fdatasync); }

int unlink(const char *path) {
    char full[PATH_MAX];
    absolute(path, full);
    pthread_mutex_lock(&order);
    int result = REAL(unlink)(path), failure = errno;
    if (result == 0 && watched_path(full)) note('U', 0, 0, full, strlen(full), "", 0);
    pthread_mutex_unlock(&order);
    errno = failure;
    return result;
}

int rename(const char *from, const char *to) {
    char one[PATH_MAX], two[PATH_MAX];
    absolute(from, one);
    absolute(to, two);
    pthread_mutex_lock(&order);
    int result = REAL(rename)(from, to), failure = errno;
    if (result == 0 && (watched_path(one) || watched_path(two))) note('R', 0, 0, one, strlen(one), two, strlen(two));
    pthread_mutex_unlock(&order);
    errno = failure;
    return result;
}
