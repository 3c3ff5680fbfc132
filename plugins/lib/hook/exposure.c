/* SPDX-License-Identifier: MIT
 *
 * Files that any user of the machine can read or change.  It is told, not
 * refused: the folder around the file may keep others out.
 */
#include "exposure.h"

#include <sys/stat.h>

void exposure_tell(struct sluice_host *host, const char *path,
                   enum exposure exposure) {
  struct stat st;
  if (stat(path, &st) != 0)
    return;
  bool read = (st.st_mode & S_IROTH) != 0;
  bool written = (st.st_mode & S_IWOTH) != 0;
  if (exposure == EXPOSURE_SECRET && (read || written))
    sluice_log(host, SLUICE_LOG_WARN,
               "%s can be read or written by any user; chmod o= %s", path,
               path);
  else if (written)
    sluice_log(host, SLUICE_LOG_WARN,
               "%s can be written by any user; chmod o-w %s", path, path);
}
