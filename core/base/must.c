/* SPDX-License-Identifier: MIT
 *
 * The end of a process in which something can't be, or can't be had.
 */
#include "must.h"

#include <stdlib.h>
#include <string.h>

#include "urgent.h"

static _Noreturn void end(const char *before, const char *what,
                          const char *after, const char *file, int line,
                          const char *function, const char *cure) {
  struct urgent said = {.len = 0};
  urgent_stamp(&said);
  urgent_text(&said, before);
  urgent_text(&said, what);
  urgent_text(&said, after);
  urgent_text(&said, function);
  urgent_text(&said, "(), ");
  urgent_text(&said, file);
  urgent_text(&said, ":");
  urgent_number(&said, (uint64_t)line);
  urgent_text(&said, cure);
  urgent_write(&said);
  abort();
}

void must_fail(const char *condition, const char *file, int line,
               const char *function) {
  end(" error assertion '", condition, "' failed in ", file, line, function,
      "; this is a fault of the program: report it");
}

void must_fail_memory(const char *what, const char *file, int line,
                      const char *function) {
  end(" error the system has no memory for '", what, "' in ", file, line,
      function,
      "; the process ends: give it more than limits.memory, or lower that");
}

void *must_malloc(size_t size) {
  void *memory = malloc(size);
  if (size > 0)
    must_have(memory);
  return memory;
}

void *must_calloc(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (count > 0 && size > 0)
    must_have(memory);
  return memory;
}

void *must_realloc(void *of, size_t size) {
  void *memory = realloc(of, size);
  if (size > 0)
    must_have(memory);
  return memory;
}

char *must_strdup(const char *text) {
  char *copy = strdup(text);
  must_have(copy);
  return copy;
}
