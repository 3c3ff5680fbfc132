/* SPDX-License-Identifier: MIT
 *
 * The end of a process in which something can't be.
 */
#include "must.h"

#include <stdlib.h>

#include "urgent.h"

void must_fail(const char *condition, const char *file, int line,
               const char *function) {
  struct urgent said = {.len = 0};
  urgent_stamp(&said);
  urgent_text(&said, " error assertion '");
  urgent_text(&said, condition);
  urgent_text(&said, "' failed in ");
  urgent_text(&said, function);
  urgent_text(&said, "(), ");
  urgent_text(&said, file);
  urgent_text(&said, ":");
  urgent_number(&said, (uint64_t)line);
  urgent_text(&said, "; this is a fault of the program: report it");
  urgent_write(&said);
  abort();
}
