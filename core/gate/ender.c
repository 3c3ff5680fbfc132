/* SPDX-License-Identifier: MIT
 *
 * Tables: from a status, or the end of a connection, to who ended a request.
 */
#include "ender.h"

#include <stddef.h>

const char *ender_word(enum ender ender) {
  static const char *const words[] = {
      [ENDER_NONE] = NULL,         [ENDER_CLIENT] = "client",
      [ENDER_STORAGE] = "storage", [ENDER_GATEWAY] = "gateway",
      [ENDER_HOOK] = "hook",       [ENDER_TIME] = "time",
      [ENDER_LIMIT] = "limit"};
  return words[ender];
}

enum ender ender_of_status(int status) {
  switch (status) {
  case 413:
  case 414:
  case 429:
  case 431:
    return ENDER_LIMIT;
  case 500:
  case 503:
    return ENDER_GATEWAY;
  default: /* 501 and 505, too, are about what the client sent */
    return status < 400 ? ENDER_NONE : ENDER_CLIENT;
  }
}

struct ender_gone ender_of_gone(enum ingress_end end) {
  static const struct ender_gone gone[] = {
      [INGRESS_LEFT] = {ENDER_CLIENT, "client_gone"},
      [INGRESS_LATE] = {ENDER_TIME, "too_slow"},
      [INGRESS_CLOSED] = {ENDER_GATEWAY, "draining"},
      [INGRESS_UNREADABLE] = {ENDER_STORAGE, "storage_failed"},
      [INGRESS_ABORTED] = {ENDER_GATEWAY, "internal"}};
  return gone[end];
}
