/* SPDX-License-Identifier: MIT
 *
 * The one whose doing it was that a request didn't come to the end that its
 * client wanted: the last word of its record.
 */
#ifndef GATE_ENDER_H
#define GATE_ENDER_H

#include "ingress.h"

enum ender {
  ENDER_NONE,    /* it came to that end */
  ENDER_CLIENT,  /* left, or asked for what can't be */
  ENDER_STORAGE, /* failed, before the answer or in the middle of it */
  ENDER_GATEWAY, /* stops, or has no memory */
  ENDER_HOOK,    /* refused it */
  ENDER_TIME,    /* somebody was silent or slow for longer than is allowed */
  ENDER_LIMIT    /* the client wants more than it may have */
};

/* NULL: none. */
const char *ender_word(enum ender);
/* Of an answer that is the gateway's own: neither a storage nor a hook has to
 * do with its status. */
enum ender ender_of_status(int status);

/* Of a request that ended before its answer did; `code` says the same as that
 * of an error. */
struct ender_gone {
  enum ender ender;
  const char *code;
};
struct ender_gone ender_of_gone(enum ingress_end);

#endif
