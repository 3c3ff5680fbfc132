/* SPDX-License-Identifier: MIT
 *
 * A path, or a name that begins with @, which stands for a NUL: an abstract
 * one.
 */
#include "notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

bool notify_say(const char *state) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t len = path == NULL ? 0 : strlen(path);
  if (len < 2 || len >= sizeof to.sun_path ||
      (path[0] != '/' && path[0] != '@'))
    return false;
  memcpy(to.sun_path, path, len);
  if (path[0] == '@')
    to.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return false;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
  ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                        (const struct sockaddr *)&to, size);
  close(fd);
  return sent == (ssize_t)strlen(state);
}

bool notify_reloading(void) {
  char text[64];
  snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
           clock_us());
  return notify_say(text);
}
