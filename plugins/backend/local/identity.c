/* SPDX-License-Identifier: MIT
 *
 * Names are looked up anew each time: that is the point of it.
 */
#include "identity.h"

#include "folder.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID_FILE "store.id"
#define ID_DIGITS 16

static const char *const names[IDENTITY_PLACES] = {
    [IDENTITY_FOLDER] = NULL, /* the path itself */
    [IDENTITY_INDEX] = INDEX_FILE,
    [IDENTITY_WAL] = INDEX_FILE "-wal",
    [IDENTITY_BLOBS] = "blobs"};

static int identity_look_up(const struct datadir *datadir, int place,
                            struct stat *st) {
  return names[place] ? fstatat(datadir->dir, names[place], st, 0)
                      : stat(datadir->path, st);
}

static bool identity_is_same(const struct identity *identity,
                             const struct datadir *datadir, int place) {
  struct stat st;
  return identity_look_up(datadir, place, &st) == 0 &&
         st.st_dev == identity->places[place].device &&
         st.st_ino == identity->places[place].inode;
}

bool identity_note(struct identity *identity, const struct datadir *datadir,
                   struct errmsg *err) {
  struct stat st;
  for (int i = 0; i < IDENTITY_PLACES; i++) {
    if (identity_look_up(datadir, i, &st) != 0)
      return errmsg_set(err, "%s%s%s can't be looked up: %s; mend that",
                        datadir->path, names[i] ? "/" : "",
                        names[i] ? names[i] : "", strerror(errno));
    identity->places[i].device = st.st_dev;
    identity->places[i].inode = st.st_ino;
  }
  return true;
}

bool identity_holds(const struct identity *identity,
                    const struct datadir *datadir, struct errmsg *why) {
  for (int i = 0; i < IDENTITY_PLACES; i++)
    if (!identity_is_same(identity, datadir, i))
      return errmsg_set(why,
                        "%s%s%s isn't what the gateway opened at its start: "
                        "it was removed, replaced or unmounted; put it back, "
                        "or restart the gateway",
                        datadir->path, names[i] ? "/" : "",
                        names[i] ? names[i] : "");
  return true;
}

bool identity_holds_index(const struct identity *identity,
                          const struct datadir *datadir) {
  return identity_is_same(identity, datadir, IDENTITY_FOLDER) &&
         identity_is_same(identity, datadir, IDENTITY_INDEX);
}

/* ---- the file ---- */

bool identity_marked(const struct datadir *datadir) {
  return faccessat(datadir->dir, ID_FILE, F_OK, 0) == 0;
}

/* False when it isn't a number, and nothing else. */
static bool identity_read_id(int fd, uint64_t *id) {
  char text[ID_DIGITS + 3] = "";
  ssize_t got = pread(fd, text, sizeof text - 1, 0);
  if (got != ID_DIGITS + 1 || text[ID_DIGITS] != '\n' ||
      strspn(text, "0123456789abcdef") != ID_DIGITS)
    return false;
  *id = strtoull(text, NULL, 16);
  return true;
}

bool identity_read(const struct datadir *datadir, uint64_t *id) {
  int fd = openat(datadir->dir, ID_FILE, O_RDONLY | O_CLOEXEC);
  bool known = fd >= 0 && identity_read_id(fd, id);
  if (fd >= 0)
    close(fd);
  return known;
}

static bool make_id(const struct datadir *datadir, uint64_t id) {
  char text[ID_DIGITS + 2];
  snprintf(text, sizeof text, "%016llx\n", (unsigned long long)id);
  return folder_put(datadir->dir, ID_FILE, text, strlen(text));
}

bool identity_mark(const struct datadir *datadir, uint64_t id,
                   struct errmsg *err) {
  uint64_t found;
  char owner[FOLDER_TEXT];
  int fd = openat(datadir->dir, ID_FILE, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT && make_id(datadir, id))
    return true;
  int error = errno;
  if (fd < 0)
    return errmsg_set(err,
                      "%s/" ID_FILE " can't be read or made: %s%s; let it "
                      "belong to the gateway's user",
                      datadir->path, strerror(error),
                      folder_owner(owner, datadir->dir, ID_FILE, error));
  bool known = identity_read_id(fd, &found);
  close(fd);
  if (known && found == id)
    return true;
  return errmsg_set(err,
                    "%s holds parts of two stores: " ID_FILE
                    " isn't that of " INDEX_FILE
                    "; put back those that belong together, or, "
                    "to go on with these, remove " ID_FILE,
                    datadir->path);
}
