/* SPDX-License-Identifier: MIT
 *
 * The directory of a local backend.  The lock is flock(2) on a file of it, so
 * it ends with the process, however that ends.
 */
#include "home.h"

#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "signing.key"
#define KEY_NEW "signing.key.new"

static bool sync_parent(int dir) {
  int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0)
    return false;
  bool ok = fsync(parent) == 0;
  close(parent);
  return ok;
}

static bool enter(struct home *home, const char *directory,
                  struct errmsg *err) {
  bool made = mkdir(directory, 0700) == 0;
  if (!made && errno != EEXIST)
    return errmsg_set(err,
                      "directory %s can't be created: %s; create it, or name "
                      "another one",
                      directory, strerror(errno));
  home->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  home->path = home->dir < 0 ? NULL : realpath(directory, NULL);
  if (!home->path)
    return errmsg_set(err,
                      "directory %s can't be opened: %s; it must be a "
                      "directory that the gateway may use",
                      directory, strerror(errno));
  /* A parent that may be written but not read can't be synced; then the new
   * name is as durable as the file system makes it. */
  if (made)
    (void)sync_parent(home->dir);
  return true;
}

static long holder(int lock) {
  char text[24] = "";
  ssize_t got = pread(lock, text, sizeof text - 1, 0);
  return got > 0 ? strtol(text, NULL, 10) : 0;
}

static bool take_lock(struct home *home, struct errmsg *err) {
  home->lock = openat(home->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (home->lock < 0)
    return errmsg_set(err,
                      "directory %s can't be written: %s; give the gateway "
                      "write access to it",
                      home->path, strerror(errno));
  if (flock(home->lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return errmsg_set(err,
                        "directory %s is in use by another gateway (pid %ld); "
                        "stop it or choose another directory",
                        home->path, holder(home->lock));
    return errmsg_set(err,
                      "directory %s can't be locked: %s; choose a directory "
                      "on a file system with flock(2)",
                      home->path, strerror(errno));
  }
  char text[24];
  int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
  /* The number only serves the message above. */
  if (ftruncate(home->lock, 0) == 0)
    (void)!pwrite(home->lock, text, (size_t)len, 0);
  return true;
}

bool home_open(struct home *home, const char *directory, struct errmsg *err) {
  *home = (struct home)HOME_CLOSED;
  if (!*directory)
    return errmsg_set(err, "directory is empty; name the folder to keep "
                           "objects in");
  return enter(home, directory, err) && take_lock(home, err);
}

void home_close(struct home *home) {
  if (home->dir >= 0)
    close(home->dir);
  if (home->lock >= 0)
    close(home->lock);
  free(home->path);
  *home = (struct home)HOME_CLOSED;
}

/* Under another name first: a crash leaves either no key or a whole one. */
static bool make_key(const struct home *home,
                     unsigned char key[HOME_KEY_LEN]) {
  unlinkat(home->dir, KEY_NEW, 0);
  int fd = openat(home->dir, KEY_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  0600);
  if (fd < 0)
    return false;
  digest_random(key, HOME_KEY_LEN);
  ssize_t put = write(fd, key, HOME_KEY_LEN);
  if (put >= 0 && put < HOME_KEY_LEN)
    errno = ENOSPC;
  bool ok = put == HOME_KEY_LEN && fsync(fd) == 0;
  int why = errno;
  close(fd);
  errno = why;
  return ok && renameat(home->dir, KEY_NEW, home->dir, KEY_FILE) == 0 &&
         fsync(home->dir) == 0;
}

static bool read_key(const struct home *home, int fd,
                     unsigned char key[HOME_KEY_LEN], struct errmsg *err) {
  struct stat st;
  if (fstat(fd, &st) == 0 && st.st_size == HOME_KEY_LEN &&
      pread(fd, key, HOME_KEY_LEN, 0) == HOME_KEY_LEN)
    return true;
  return errmsg_set(err,
                    "%s/" KEY_FILE " isn't a key of %d bytes; restore it, or "
                    "remove it to get a new one (links made so far end)",
                    home->path, HOME_KEY_LEN);
}

bool home_key(const struct home *home, unsigned char key[HOME_KEY_LEN],
              struct errmsg *err) {
  int fd = openat(home->dir, KEY_FILE, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    bool ok = read_key(home, fd, key, err);
    close(fd);
    return ok;
  }
  if (errno == ENOENT && make_key(home, key))
    return true;
  return errmsg_set(err,
                    "%s/" KEY_FILE " can't be read or made: %s; mend that, or "
                    "set signing_key",
                    home->path, strerror(errno));
}

bool home_there(const struct home *home) {
  struct stat path, dir;
  return stat(home->path, &path) == 0 && fstat(home->dir, &dir) == 0 &&
         path.st_ino == dir.st_ino && path.st_dev == dir.st_dev;
}
