/* SPDX-License-Identifier: MIT
 *
 * An answer is "stream: OK", "stream: NAME FOUND", or ends in "ERROR".
 */
#include "clamd.h"

#include <event2/util.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static bool read_path(struct clamd_address *address, const char *path,
                      struct errmsg *err) {
  struct sockaddr_un local = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  if (len == 0 || len >= sizeof local.sun_path)
    return errmsg_set(err, "socket: a path of 1 to %zu bytes; it has %zu",
                      sizeof local.sun_path - 1, len);
  memcpy(local.sun_path, path, len + 1);
  memcpy(&address->at, &local, sizeof local);
  address->size = sizeof local;
  return true;
}

bool clamd_address(struct clamd_address *address, const char *text,
                   struct errmsg *err) {
  static const char scheme[] = "unix:";
  int size = sizeof address->at;
  *address = (struct clamd_address){0};
  if (strncmp(text, scheme, sizeof scheme - 1) == 0)
    return read_path(address, text + sizeof scheme - 1, err);
  if (text[0] == '/')
    return read_path(address, text, err);
  bool ok = evutil_parse_sockaddr_port(text, (struct sockaddr *)&address->at,
                                       &size) == 0;
  const char *colon = strrchr(text, ':');
  const char *end = strrchr(text, ']');
  bool has_port = colon != NULL && (end == NULL ? strchr(text, ':') == colon
                                                : colon == end + 1);
  address->size = (socklen_t)size;
  if (ok && has_port)
    return true;
  return errmsg_set(err,
                    "socket: '%.100s' is no place of clamd; write its path, "
                    "or ADDRESS:PORT as in 127.0.0.1:3310",
                    text);
}

static bool ends_with(const char *text, size_t len, const char *end) {
  size_t size = strlen(end);
  return len >= size && memcmp(text + len - size, end, size) == 0;
}

enum clamd_word clamd_read(const char *reply, char name[CLAMD_NAME_MAX]) {
  static const char before[] = "stream: ", found[] = " FOUND";
  size_t len = strlen(reply), start = sizeof before - 1;
  name[0] = '\0';
  if (strcmp(reply, "stream: OK") == 0)
    return CLAMD_CLEAN;
  if (strstr(reply, "size limit exceeded") != NULL)
    return CLAMD_TOO_LARGE;
  if (strncmp(reply, before, start) != 0 || !ends_with(reply, len, found) ||
      len < start + sizeof found)
    return CLAMD_NONSENSE;
  size_t size = len - start - (sizeof found - 1);
  if (size >= CLAMD_NAME_MAX)
    size = CLAMD_NAME_MAX - 1;
  for (size_t i = 0; i < size; i++) {
    char c = reply[start + i];
    name[i] = c > ' ' && c < 127 ? c : '?';
  }
  name[size] = '\0';
  return strncmp(name, "Heuristics.Limits.Exceeded", 26) == 0 ? CLAMD_TOO_LARGE
                                                              : CLAMD_FOUND;
}
