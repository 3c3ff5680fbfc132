/* SPDX-License-Identifier: MIT
 *
 * One thing that a client can ask for.  Each is a const struct endpoint in a
 * file of core/endpoints, and core/server/endpoints.c lists them; routes are
 * made of that list and of the configuration.
 */
#ifndef HOST_ENDPOINT_H
#define HOST_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "operation.h"

#define ROUTE_ANY "*"

struct exchange;
struct head;

struct endpoint {
  /* Hooks are asked about it by this name.  OPERATION_NONE: it isn't about
   * objects, so no hook is asked, and `tail` is its whole path. */
  enum operation operation;
  /* NULL, or: the one of several that this head asks for. */
  enum operation (*asked)(const struct head *);
  const char *method; /* GET serves HEAD, too */
  /* Of its path below a mount: "", "/presign"; at its end ROUTE_ANY stands for
   * any one segment. */
  const char *tail;
  size_t cost; /* bytes of limits.memory that each request begins with */
  /* NULL, or: fields, "A, B", that pages of other origins may send, and read
   * in answers, beside those of the configuration. */
  const char *cors_headers, *cors_expose;
  /* A POST of tus may ask for it, by X-HTTP-Method-Override. */
  bool overridden;
  /* It only tells why not: it isn't among what its path allows. */
  bool unlisted;
  /* It is there where server.console is on. */
  bool console;
  /* NULL, or: hooks are asked about this one, too, where they forbid the
   * other. Who has it alone may do less. */
  const enum operation *lesser;
  /* Its answers have links, which a route of its own serves beside it. */
  bool gives_links;
  /* Hooks let the request pass: goes on until it is answered. */
  void (*start)(struct exchange *);
};

#endif
