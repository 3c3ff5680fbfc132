/* SPDX-License-Identifier: MIT
 *
 * Tells the URLs of a configuration that the client can be sent to.
 */
#include <string.h>

#include "codec.h"
#include "httpc.h"

/* After the scheme; NULL: it's neither of the two. */
static const char *after_scheme(const char *url) {
  static const char *const schemes[] = {"http://", "https://"};
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    size_t len = strlen(schemes[i]);
    if (strlen(url) > len && codec_same(url, len, schemes[i]))
      return url + len;
  }
  return NULL;
}

const char *httpc_url_fault(const char *url) {
  const char *host = after_scheme(url);
  if (strlen(url) > HTTPC_URL_MAX)
    return "it is longer than 2048 bytes";
  if (host == NULL)
    return "it doesn't begin with http:// or https://, and a host";
  for (const char *at = url; *at != '\0'; at++)
    if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 127 ||
        strchr("\"<>\\^`{|}#", *at) != NULL)
      return "it has a letter that no URL has, or a fragment; escape it as "
             "%XX";
  size_t len = strcspn(host, "/?");
  if (memchr(host, '@', len) != NULL)
    return "it has a user name; a header or a network says who may ask";
  if (len == 0 || host[0] == ':')
    return "it has no host";
  return NULL;
}
