/* SPDX-License-Identifier: MIT
 *
 * Addresses that the environment gives, as strict as curl and we have to
 * understand them alike.
 */
#include <string.h>

#include "credentials_source.h"

static size_t scheme_len(const char *url) {
  if (strncmp(url, "https://", 8) == 0)
    return 8;
  return strncmp(url, "http://", 7) == 0 ? 7 : 0;
}

static bool is_port(const char *text, size_t len) {
  return len == 0 || (text[0] == ':' && len >= 2 && len <= 6 &&
                      strspn(text + 1, "0123456789") >= len - 1);
}

size_t credentials_url_host(const char *url, const char **host) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  size_t scheme = scheme_len(url), len, end;
  for (const char *c = url; *c != '\0'; c++)
    if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '#')
      return 0;
  if (scheme == 0)
    return 0;
  *host = url + scheme;
  end = strcspn(*host, "/?");
  if (**host != '[') {
    len = strspn(*host, letters);
    return len > 0 && is_port(*host + len, end - len) ? len : 0;
  }
  ++*host;
  len = strspn(*host, "0123456789abcdefABCDEF:.");
  if (len == 0 || (*host)[len] != ']')
    return 0;
  return is_port(*host + len + 1, end - len - 2) ? len : 0;
}
