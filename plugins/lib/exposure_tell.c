/* SPDX-License-Identifier: MIT
 *
 * Files that any user of the machine can read or change.  It is told, not
 * refused: the folder around the file may keep others out.
 */
#include "exposure_tell.h"

void exposure_tell(struct sluice_host *host, const char *path,
                   enum exposure exposure) {
  struct stat st;
  const char *fault =
      stat(path, &st) == 0 ? exposure_fault(st.st_mode, exposure) : NULL;
  if (fault != NULL)
    sluice_log(host, SLUICE_LOG_WARN, "%s %s %s", path, fault, path);
}
