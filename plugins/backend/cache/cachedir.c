/* SPDX-License-Identifier: MIT
 *
 * Entries are objects/XX/Y..., by the digits of their id; what is being
 * fetched is new/NUMBER, and becomes an entry by rename(2).  `over` names the
 * backend whose objects these are.  The lock is flock(2) on a file, so it ends
 * with the process, however that ends.
 */
#include "cachedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"

#define BLOCK 4096
#define NAME_SIZE (sizeof "objects/00/" + 2 * (CACHEFORM_ID_LEN - 1))
#define OVER_MAX 1024

static void entry_name(char name[NAME_SIZE],
                       const unsigned char id[CACHEFORM_ID_LEN]) {
  char hex[2 * CACHEFORM_ID_LEN + 1];
  codec_hex(hex, id, CACHEFORM_ID_LEN);
  snprintf(name, NAME_SIZE, "objects/%.2s/%s", hex, hex + 2);
}

static void new_name(char name[32], uint64_t number) {
  snprintf(name, 32, "new/%" PRIu64, number);
}

uint64_t cachedir_bytes(uint64_t size) {
  return (size / BLOCK + (size % BLOCK > 0)) * BLOCK;
}

/* ---- the start ---------------------------------------------------------- */

static bool take_lock(struct cachedir *at, const char *directory,
                      struct errmsg *err) {
  at->lock = openat(at->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (at->lock < 0)
    return errmsg_set(err,
                      "directory %s can't be written: %s; give the gateway "
                      "write access to all of it",
                      directory, strerror(errno));
  if (flock(at->lock, LOCK_EX | LOCK_NB) == 0)
    return true;
  if (errno == EWOULDBLOCK)
    return errmsg_set(err,
                      "directory %s is in use by another cache; give each "
                      "one a directory of its own",
                      directory);
  return errmsg_set(err,
                    "directory %s can't be locked: %s; choose a directory on "
                    "a file system with flock(2)",
                    directory, strerror(errno));
}

static bool make_folders(const struct cachedir *at, const char *directory,
                         struct errmsg *err) {
  char name[sizeof "objects/00"];
  bool ok = (mkdirat(at->dir, "new", 0700) == 0 || errno == EEXIST) &&
            (mkdirat(at->dir, "objects", 0700) == 0 || errno == EEXIST);
  for (unsigned i = 0; ok && i < 256; i++) {
    snprintf(name, sizeof name, "objects/%02x", i & 255);
    ok = mkdirat(at->dir, name, 0700) == 0 || errno == EEXIST;
  }
  return ok || errmsg_set(err,
                          "directory %s can't be written: %s; give the "
                          "gateway write access to all of it, and room",
                          directory, strerror(errno));
}

/* Calls each() for each name there that has so many of these letters, or any
 * number of them for 0; false: the folder can't be read, or each() said so. */
static bool walk(const struct cachedir *at, const char *folder, size_t length,
                 const char *letters,
                 bool (*each)(void *arg, int fd, const char *name),
                 void *arg) {
  int fd = openat(at->dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *one;
  bool ok = stream != NULL;
  if (!ok && fd >= 0)
    close(fd);
  while (ok && (errno = 0, one = readdir(stream)) != NULL) {
    size_t span = strspn(one->d_name, letters);
    if (span > 0 && one->d_name[span] == '\0' &&
        (length == 0 || span == length))
      ok = each(arg, fd, one->d_name);
  }
  ok = ok && errno == 0;
  if (stream != NULL)
    closedir(stream);
  return ok;
}

static bool remove_one(void *arg, int fd, const char *name) {
  (void)arg;
  return unlinkat(fd, name, 0) == 0 || errno == ENOENT;
}

#define HEX "0123456789abcdef"
#define REST (2 * (CACHEFORM_ID_LEN - 1))

static bool walk_entries(const struct cachedir *at,
                         bool (*each)(void *, int, const char *), void *arg) {
  char name[sizeof "objects/00"];
  bool ok = true;
  for (unsigned i = 0; ok && i < 256; i++) {
    snprintf(name, sizeof name, "objects/%02x", i & 255);
    *(unsigned *)arg = i;
    ok = walk(at, name, REST, HEX, each, arg);
  }
  return ok;
}

/* An object that another backend has stored under the same key is never taken
 * for this one's. */
static bool own(const struct cachedir *at, const char *over) {
  char had[OVER_MAX + 1] = "";
  unsigned folder;
  int fd = openat(at->dir, "over", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ssize_t got = fd < 0 ? -1 : pread(fd, had, OVER_MAX, 0);
  bool ok = got >= 0;
  size_t length = strlen(over);
  if (ok && strcmp(had, over) != 0)
    ok = walk_entries(at, remove_one, &folder) && ftruncate(fd, 0) == 0 &&
         pwrite(fd, over, length, 0) == (ssize_t)length && fsync(fd) == 0;
  if (fd >= 0)
    close(fd);
  return ok;
}

bool cachedir_open(struct cachedir *at, const char *directory,
                   const char *over, struct errmsg *err) {
  *at = (struct cachedir)CACHEDIR_CLOSED;
  if (directory[0] == '\0')
    return errmsg_set(err, "directory is empty; name the folder to keep "
                           "entries in");
  if (mkdir(directory, 0700) != 0 && errno != EEXIST)
    return errmsg_set(err,
                      "directory %s can't be created: %s; create it, or name "
                      "another one",
                      directory, strerror(errno));
  at->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at->dir < 0)
    return errmsg_set(err,
                      "directory %s can't be opened: %s; it must be a "
                      "directory that the gateway may use",
                      directory, strerror(errno));
  if (!take_lock(at, directory, err) || !make_folders(at, directory, err))
    return false;
  if (!walk(at, "new", 0, "0123456789", remove_one, NULL) || !own(at, over))
    return errmsg_set(err,
                      "directory %s can't be read, or what is old in it be "
                      "removed: %s; check the disk, or empty the directory",
                      directory, strerror(errno));
  return true;
}

void cachedir_close(struct cachedir *at) {
  if (at->dir >= 0)
    close(at->dir);
  if (at->lock >= 0)
    close(at->lock);
  *at = (struct cachedir)CACHEDIR_CLOSED;
}

struct scan {
  unsigned folder; /* the first one: walk_entries() sets it */
  struct cachedir_file *files;
  size_t count, room;
};

static bool scan_one(void *arg, int fd, const char *name) {
  struct scan *scan = arg;
  struct stat st;
  if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
    return true;
  if (scan->count == scan->room) {
    size_t room = scan->room == 0 ? 1024 : 2 * scan->room;
    void *files = realloc(scan->files, room * sizeof *scan->files);
    if (files == NULL)
      return false;
    scan->files = files;
    scan->room = room;
  }
  struct cachedir_file *file = &scan->files[scan->count++];
  file->id[0] = (unsigned char)scan->folder;
  codec_unhex(file->id + 1, CACHEFORM_ID_LEN - 1, name);
  file->bytes = cachedir_bytes((uint64_t)st.st_size);
  file->used_ms =
      (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
  return true;
}

static int by_use(const void *a, const void *b) {
  int64_t one = ((const struct cachedir_file *)a)->used_ms;
  int64_t other = ((const struct cachedir_file *)b)->used_ms;
  return (one > other) - (one < other);
}

long cachedir_scan(const struct cachedir *at, struct cachedir_file **files) {
  struct scan scan = {.files = NULL};
  if (!walk_entries(at, scan_one, &scan)) {
    free(scan.files);
    return -1;
  }
  if (scan.count > 0)
    qsort(scan.files, scan.count, sizeof *scan.files, by_use);
  *files = scan.files;
  return (long)scan.count;
}

/* ---- files -------------------------------------------------------------- */

int cachedir_get(const struct cachedir *at,
                 const unsigned char id[CACHEFORM_ID_LEN]) {
  char name[NAME_SIZE];
  entry_name(name, id);
  return openat(at->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int cachedir_make(struct cachedir *at, uint64_t *number) {
  char name[32];
  *number = at->next++;
  new_name(name, *number);
  return openat(at->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

bool cachedir_keep(const struct cachedir *at, uint64_t number,
                   const unsigned char id[CACHEFORM_ID_LEN]) {
  char from[32], to[NAME_SIZE];
  new_name(from, number);
  entry_name(to, id);
  return renameat(at->dir, from, at->dir, to) == 0;
}

void cachedir_unmake(const struct cachedir *at, uint64_t number) {
  char name[32];
  new_name(name, number);
  unlinkat(at->dir, name, 0);
}

void cachedir_remove(const struct cachedir *at,
                     const unsigned char id[CACHEFORM_ID_LEN]) {
  char name[NAME_SIZE];
  entry_name(name, id);
  unlinkat(at->dir, name, 0);
}
