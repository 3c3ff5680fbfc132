/* SPDX-License-Identifier: MIT
 *
 * A YAML file as a tree that remembers its lines, with ${NAME} and
 * ${NAME:-default} replaced from the environment in every scalar.
 */
#ifndef YAML_CONFIG_H
#define YAML_CONFIG_H

#include <stdint.h>
#include <sys/types.h>

#include "errmsg.h"
#include "printflike.h"

#define CONFIG_FILE_MAX (1u << 20) /* bytes of the file */
#define CONFIG_DEPTH_MAX 32
#define CONFIG_NODES_MAX 65536
#define CONFIG_SCALAR_MAX 65536    /* bytes of a scalar after replacement */
#define CONFIG_TEXT_MAX (4u << 20) /* bytes of all scalars */

enum config_kind { CONFIG_SCALAR, CONFIG_SEQUENCE, CONFIG_MAPPING };

struct config_node {
  enum config_kind kind;
  unsigned line;             /* from 1 */
  const char *text;          /* of a scalar */
  bool literal;              /* a scalar, and no variable is in it */
  bool null;                 /* a scalar that is empty, ~ or null, unquoted */
  struct config_node *items; /* of the others: `count` of them */
  struct config_node *keys;  /* of a mapping: beside items, all scalars */
  size_t count;
};

struct config {
  const char *file; /* as given, for messages */
  struct config_node *root;
  mode_t mode;          /* of the file; 0: not known */
  unsigned secret_line; /* of the first secret that it holds itself; 0: none */
  void *memory;         /* private */
};

/* Refused: what isn't YAML, an empty file, two documents, anchors, aliases and
 * tags, a key twice in one mapping, an unset ${NAME} without default, the
 * limits above.  Messages begin with file:line. */
struct config *config_load(const char *file, struct errmsg *);
/* The same from memory; `file` is for messages. */
struct config *config_parse(const char *file, const char *data, size_t len,
                            struct errmsg *);
void config_free(struct config *); /* wipes all scalars */

/* The value of a mapping's key; NULL when it isn't there. */
const struct config_node *config_get(const struct config_node *mapping,
                                     const char *key);

/* Do both say the same?  Lines and comments don't count; NULL: nothing is
 * said. */
bool config_same(const struct config_node *, const struct config_node *);

/* Zeroed memory that lives as long as the config; NULL: no memory. */
void *config_alloc(struct config *, size_t size);

/* Sets "file:line: message" on one line and returns false; line 0: none. */
bool config_fault(const struct config *, unsigned line, struct errmsg *,
                  const char *fmt, ...) PRINTFLIKE(4, 5);

#endif
