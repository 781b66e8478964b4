/* Stands between the program and the system, loaded before the C library: for tests of what no system can be made to
   do otherwise. Without its variables it changes nothing.

   SHORT_IO_FILE   a part of the paths of files whose reads and writes are short
   SHORT_IO_BYTES  most bytes that one call reads or writes of them
   SHORT_IO_FULL   the number of the write to them that finds room for a half of it; those after it find none
   SHORT_IO_MET    a file that is made when a call was cut short
   CLOCK_SECONDS   how far the wall clock is wrong */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int is_meant(int fd)
{
    const char *part = getenv("SHORT_IO_FILE");
    char link[32], path[PATH_MAX];
    if (!part)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, part) != NULL;
}

static void met(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    const char *path = getenv("SHORT_IO_MET");
    if (path && !atomic_flag_test_and_set(&told))
        syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static size_t shorter(int fd, size_t count)
{
    const char *most = getenv("SHORT_IO_BYTES");
    if (!most || count <= (size_t)atol(most) || !is_meant(fd))
        return count;
    met();
    return (size_t)atol(most);
}

/* Returns how much there is room for; 0 for nothing at all. */
static size_t room(int fd, size_t count)
{
    static atomic_long writes;
    const char *full = getenv("SHORT_IO_FULL");
    if (!full || count == 0 || !is_meant(fd))
        return count;
    long number = ++writes;
    if (number < atol(full))
        return count;
    met();
    return number == atol(full) ? count / 2 : 0;
}

ssize_t read(int fd, void *bytes, size_t count)
{
    return syscall(SYS_read, fd, bytes, shorter(fd, count));
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
    return syscall(SYS_pread64, fd, bytes, shorter(fd, count), at);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    size_t left = room(fd, shorter(fd, count));
    if (left == 0 && count > 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, left);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    size_t left = room(fd, shorter(fd, count));
    if (left == 0 && count > 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, left, at);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long done = syscall(SYS_clock_gettime, clock, now);
    const char *wrong = getenv("CLOCK_SECONDS");
    if (done == 0 && clock == CLOCK_REALTIME && wrong)
        now->tv_sec += atol(wrong);
    return (int)done;
}
