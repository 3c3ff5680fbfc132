/* SPDX-License-Identifier: MIT
 *
 * Hosts and ports.  Called with the Host of each request and with what proxies
 * say of it: whatever is valid can be put into a URL as it is.
 */
#include "authority.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "token.h"

/* Of the host that `text` begins with; 0: it begins with none. */
static size_t host_len(const char *text) {
  const char *end = text;
  if (*end == '[') {
    end += 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
    return end == text + 1 || *end != ']' ? 0 : (size_t)(end + 1 - text);
  }
  while (token_char((unsigned char)*end) && !strchr("!#$%&'*+^`|", *end))
    end++;
  return (size_t)(end - text);
}

bool authority_valid(const char *text) {
  const char *end = text + host_len(text);
  if (end == text || strnlen(text, AUTHORITY_MAX + 1) > AUTHORITY_MAX)
    return false;
  if (*end != ':')
    return *end == '\0';
  size_t digits = strspn(end + 1, "0123456789");
  return !end[1 + digits] && digits <= 5 &&
         strtoul(end + 1, NULL, 10) <= 65535;
}

size_t authority_pattern_len(const char *pattern) {
  size_t len = strlen(pattern);
  return len >= 2 && strcmp(pattern + len - 2, ":*") == 0 ? len - 2 : len;
}

const char *authority_pattern_fault(const char *pattern) {
  size_t len = authority_pattern_len(pattern);
  bool any_port = pattern[len] != '\0';
  if (any_port ? host_len(pattern) == len && len > 0
               : authority_valid(pattern) && pattern[len - 1] != ':')
    return NULL;
  return "it is no host; write files.example, files.example:8443 or "
         "files.example:*";
}

bool authority_matches(const char *authority, const char *pattern) {
  size_t len = authority_pattern_len(pattern);
  if (strncasecmp(authority, pattern, len) != 0)
    return false;
  return authority[len] == '\0' ||
         (authority[len] == ':' && pattern[len] != '\0');
}
