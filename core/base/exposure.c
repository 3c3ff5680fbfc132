/* SPDX-License-Identifier: MIT
 *
 * Rights of others.  The group's are the operator's own doing.
 */
#include "exposure.h"

#include <stddef.h>

const char *exposure_fault(mode_t mode, enum exposure exposure) {
  if (exposure == EXPOSURE_SECRET && (mode & (S_IROTH | S_IWOTH)) != 0)
    return "can be read or written by any user; chmod o=";
  return (mode & S_IWOTH) != 0 ? "can be written by any user; chmod o-w"
                               : NULL;
}
