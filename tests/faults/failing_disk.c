// A disk that fails: put before libc by LD_PRELOAD, it makes writing or syncing files of the spool fail with EIO while
// the file $FAILING_DISK_CONTROL exists. $FAILING_DISK_OPERATION is "write" or "fsync". For tests/faults only.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_of_spool(int fd) {
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return strstr(path, "/spool/") != NULL;
}

static int fails(int fd, const char* operation) {
  const char* control = getenv("FAILING_DISK_CONTROL");
  const char* wanted = getenv("FAILING_DISK_OPERATION");
  if (control == NULL || wanted == NULL || strcmp(wanted, operation) != 0) return 0;
  const int before = errno;
  const int exists = access(control, F_OK) == 0;
  errno = before;
  if (!exists || !is_of_spool(fd)) return 0;
  errno = EIO;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t size) {
  return fails(fd, "write") ? -1 : REAL(write)(fd, data, size);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  return fails(fd, "write") ? -1 : REAL(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  return fails(fd, "write") ? -1 : REAL(pwrite64)(fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return fails(fd, "write") ? -1 : REAL(writev)(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
  return fails(fd, "write") ? -1 : REAL(pwritev)(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t at) {
  return fails(fd, "write") ? -1 : REAL(pwritev64)(fd, parts, count, at);
}
int fdatasync(int fd) { return fails(fd, "fsync") ? -1 : REAL(fdatasync)(fd); }
int fsync(int fd) { return fails(fd, "fsync") ? -1 : REAL(fsync)(fd); }
