/* SPDX-License-Identifier: MIT
 *
 * A shared object that registers no plugin.
 */
#include "entries.h"

SLUICE_EXPORT int nosymbol(void);
int nosymbol(void) {
  return 1;
}
