/* SPDX-License-Identifier: MIT
 *
 * PR_SET_DUMPABLE, prctl(2).
 */
#include "secrecy.h"

#include <sys/prctl.h>

#include "sanitized.h"

void secrecy_begin(const struct settings *settings) {
  if (!settings->server.core_dumps && !SANITIZED_ADDRESS)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
