/* SPDX-License-Identifier: MIT
 *
 * PR_SET_DUMPABLE, prctl(2).
 */
#include "secrecy.h"

#include <sys/prctl.h>

#if defined __has_feature
#define HAS_FEATURE(f) __has_feature(f)
#else
#define HAS_FEATURE(f) 0
#endif
/* That of leaks traces the process. */
#if defined __SANITIZE_ADDRESS__ || HAS_FEATURE(address_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

void secrecy_begin(const struct settings *settings) {
  if (!settings->server.core_dumps && !SANITIZED)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
