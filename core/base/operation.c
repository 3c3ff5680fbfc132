/* SPDX-License-Identifier: MIT
 *
 * The table of operations.  Called at the start for names in a configuration,
 * and by hooks for the name that the gateway tells them.
 */
#include "operation.h"

#include <stddef.h>
#include <string.h>

static const struct {
  const char *name;
  unsigned effects;
} table[OPERATION_NONE + 1] = {
    [OPERATION_UPLOAD] = {"upload", OPERATION_ADDS},
    [OPERATION_PRESIGN] = {"presign", OPERATION_LINKS},
    [OPERATION_DOWNLOAD] = {"download", OPERATION_READS},
    [OPERATION_LIST] = {"list", OPERATION_LISTS},
    [OPERATION_DELETE] = {"delete", OPERATION_REMOVES},
    [OPERATION_REPLACE] = {"replace", OPERATION_ADDS | OPERATION_REPLACES},
    [OPERATION_COPY] = {"copy", OPERATION_READS | OPERATION_ADDS |
                                    OPERATION_REPLACES | OPERATION_REMOVES},
    [OPERATION_REVOKE] = {"revoke", OPERATION_LINKS},
    [OPERATION_SIGNED] = {"signed", OPERATION_READS}};

const char *operation_name(enum operation operation) {
  return table[operation].name;
}

enum operation operation_find(const char *name) {
  unsigned i = 0;
  if (name == NULL)
    return OPERATION_NONE;
  while (i < OPERATION_NONE && strcmp(table[i].name, name) != 0)
    i++;
  return (enum operation)i;
}

unsigned operation_effects(enum operation operation) {
  return operation == OPERATION_NONE ? 0 : table[operation].effects;
}

bool operation_does(enum operation operation, unsigned effects) {
  return (operation_effects(operation) & effects) != 0;
}

void operation_words(const char *words[OPERATION_WORDS], const char *more) {
  size_t n = 0;
  for (; n < OPERATION_SIGNED; n++)
    words[n] = table[n].name;
  if (more != NULL)
    words[n++] = more;
  words[n] = NULL;
}
