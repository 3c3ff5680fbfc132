/* SPDX-License-Identifier: MIT
 *
 * Folders of the file system.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER_NAME 64

/* Its name, or else its number. */
static void name_user(char name[USER_NAME], uid_t id) {
  struct passwd entry, *found = NULL;
  char room[1024];
  if (getpwuid_r(id, &entry, room, sizeof room, &found) == 0 && found)
    snprintf(name, USER_NAME, "%s", entry.pw_name);
  else
    snprintf(name, USER_NAME, "%lu", (unsigned long)id);
}

const char *folder_owner(char text[FOLDER_TEXT], int folder, const char *name,
                         int error) {
  char owner[USER_NAME], user[USER_NAME];
  struct stat st;
  text[0] = '\0';
  if (error != EACCES && error != EPERM)
    return text;
  if (fstatat(folder, name, &st, 0) != 0) {
    name = "it"; /* the folder itself has to take it */
    if (fstat(folder, &st) != 0)
      return text;
  }
  if (st.st_uid == geteuid())
    return text;
  name_user(owner, st.st_uid);
  name_user(user, geteuid());
  snprintf(text, FOLDER_TEXT,
           " (%s belongs to user %s, but the gateway runs as user %s)", name,
           owner, user);
  return text;
}

int folder_make(int parent, const char *name) {
  if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
    return -1;
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool write_file(int fd, const void *data, size_t len) {
  ssize_t put = write(fd, data, len);
  if (put >= 0 && (size_t)put < len)
    errno = ENOSPC;
  return put >= 0 && (size_t)put == len && fsync(fd) == 0;
}

bool folder_put(int folder, const char *name, const void *data, size_t len) {
  char new[64];
  snprintf(new, sizeof new, "%s.new", name);
  unlinkat(folder, new, 0);
  int fd = openat(folder, new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  bool ok = write_file(fd, data, len);
  int why = errno;
  close(fd);
  errno = why;
  return ok && renameat(folder, new, folder, name) == 0 && fsync(folder) == 0;
}

bool folder_walk(int folder,
                 bool (*each)(void *arg, int folder, const char *name),
                 void *arg) {
  /* Opened anew: closedir() closes what fdopendir() is given. */
  int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) {
    int why = errno;
    if (fd >= 0)
      close(fd);
    errno = why;
    return false;
  }
  const struct dirent *entry;
  while ((errno = 0, entry = readdir(dir)))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
        !each(arg, folder, entry->d_name))
      break;
  int why = entry ? 0 : errno;
  closedir(dir);
  errno = why;
  return why == 0;
}
