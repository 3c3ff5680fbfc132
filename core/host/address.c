/* SPDX-License-Identifier: MIT
 *
 * Checks addresses of the configuration, so that a mistake is found with its
 * line and not when a socket can't be bound.
 */
#include "address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HOST_MAX 253 /* bytes of a DNS name, RFC 1035 */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_port(const char *text, size_t len, unsigned min) {
  unsigned port = 0;
  if (len < 1 || len > 5)
    return false;
  for (size_t i = 0; i < len; i++) {
    if (!is_digit(text[i]))
      return false;
    port = port * 10 + (unsigned)(text[i] - '0');
  }
  return port >= min && port <= 65535;
}

static bool is_host(const char *text, size_t len) {
  if (len < 1 || len > HOST_MAX || text[0] == '-' || text[0] == '.')
    return false;
  for (size_t i = 0; i < len; i++)
    if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '.')
      return false;
  return true;
}

static bool is_v6(const char *text, size_t len) {
  char copy[INET6_ADDRSTRLEN];
  struct in6_addr address;
  if (len >= sizeof copy)
    return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return inet_pton(AF_INET6, copy, &address) == 1;
}

static const char *unix_fault(const char *path) {
  if (*path != '/')
    return "a socket's path begins with /; write unix:/path";
  if (strlen(path) > ADDRESS_UNIX_MAX)
    return "a socket's path has at most 107 bytes; shorten it";
  return NULL;
}

const char *address_listen_fault(const char *text) {
  if (strncmp(text, "unix:", 5) == 0)
    return unix_fault(text + 5);
  const char *colon = strrchr(text, ':');
  if (colon == NULL)
    return "the port is missing; write host:port, [v6]:port or unix:/path";
  if (!is_port(colon + 1, strlen(colon + 1), 0))
    return "the port is not a number from 0 to 65535; write host:port, "
           "[v6]:port or unix:/path";
  size_t len = (size_t)(colon - text);
  if (*text == '[')
    return text[len - 1] == ']' && is_v6(text + 1, len - 2)
               ? NULL
               : "no IPv6 address is in the brackets; write [::]:8000";
  if (memchr(text, ':', len) != NULL)
    return "an IPv6 address stands in brackets; write [::]:8000";
  return is_host(text, len)
             ? NULL
             : "the host is neither a name nor an address; write host:port, "
               "[v6]:port or unix:/path";
}

bool address_is_local(const char *listen) {
  static const char *const local[] = {"unix:", "127.",
                                      "localhost:", "[::1]:", "[::ffff:127."};
  for (size_t i = 0; i < sizeof local / sizeof *local; i++)
    if (strncasecmp(listen, local[i], strlen(local[i])) == 0)
      return true;
  return false;
}

const char *address_unix_path(const char *listen) {
  return strncmp(listen, "unix:", 5) == 0 ? listen + 5 : NULL;
}

/* host, host:port, [v6], [v6]:port */
static bool is_authority(const char *text, size_t len) {
  const char *end = text + len, *after;
  if (len > 0 && *text == '[') {
    const char *bracket = memchr(text, ']', len);
    if (bracket == NULL || !is_v6(text + 1, (size_t)(bracket - text) - 1))
      return false;
    after = bracket + 1;
  } else {
    after = memchr(text, ':', len);
    after = after == NULL ? end : after;
    if (!is_host(text, (size_t)(after - text)))
      return false;
  }
  if (after == end)
    return true;
  return *after == ':' && is_port(after + 1, (size_t)(end - after) - 1, 1);
}

const char *address_url_fault(const char *text) {
  size_t scheme = strncmp(text, "http://", 7) == 0    ? 7
                  : strncmp(text, "https://", 8) == 0 ? 8
                                                      : 0;
  if (scheme == 0)
    return "it begins with neither http:// nor https://; write "
           "https://files.example";
  const char *host = text + scheme;
  size_t len = strcspn(host, "/?#");
  if (!is_authority(host, len))
    return "its host or port is wrong; write https://files.example or "
           "https://files.example:8443";
  for (const char *c = host + len; *c != '\0'; c++)
    if (!is_alnum(*c) && strchr("/-._~%!$&'()*+,;=:@", *c) == NULL)
      return "its path holds a character that is not for a path; write "
             "scheme, host and path alone";
  if (text[strlen(text) - 1] == '/')
    return "it ends in /; leave the last / out";
  return NULL;
}

static size_t scheme_len(const char *text) {
  size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");
  bool ok = *text >= 'a' && *text <= 'z' && len <= 32;
  return ok && strncmp(text + len, "://", 3) == 0 ? len : 0;
}

static bool ends_in(const char *text, const char *end) {
  size_t len = strlen(text), tail = strlen(end);
  return len > tail && strcmp(text + len - tail, end) == 0;
}

const char *address_origin_fault(const char *text) {
  if (text[strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
    return "browsers write it in lower case; do so, too";
  size_t scheme = scheme_len(text);
  if (scheme == 0)
    return "it has no scheme; write https://app.example";
  const char *host = text + scheme + 3;
  if (strpbrk(host, "/?#") != NULL)
    return "an origin ends with its host or port; drop what follows";
  if (!is_authority(host, strlen(host)))
    return "its host or port is wrong; write https://app.example or "
           "https://app.example:8443";
  if ((strncmp(text, "http://", 7) == 0 && ends_in(text, ":80")) ||
      (strncmp(text, "https://", 8) == 0 && ends_in(text, ":443")))
    return "browsers leave the scheme's own port out; drop it";
  return NULL;
}
