/* SPDX-License-Identifier: MIT
 *
 * Folders of the file system.
 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int folder_make(int parent, const char *name) {
  if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
    return -1;
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void folder_walk(int folder,
                 bool (*each)(void *arg, int folder, const char *name),
                 void *arg) {
  /* Opened anew: closedir() closes what fdopendir() is given. */
  int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) {
    if (fd >= 0)
      close(fd);
    return;
  }
  const struct dirent *entry;
  while ((entry = readdir(dir)))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
        !each(arg, folder, entry->d_name))
      break;
  closedir(dir);
}
