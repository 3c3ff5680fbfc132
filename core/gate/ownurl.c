/* SPDX-License-Identifier: MIT
 *
 * The gateway's own URLs.  Called for answers that carry one, and for requests
 * of pages.
 */
#include "ownurl.h"

#include <string.h>
#include <strings.h>

#include "authority.h"
#include "forwarded.h"

static const struct settings_server *server_of(const struct exchange *ex) {
  return &ex->gate->settings->server;
}

static void read_forwarded(const struct exchange *ex, struct forwarded *url) {
  const struct settings_server *server = server_of(ex);
  forwarded_url(url, ex->request.peer, server->trusted, server->trusted_count,
                &ex->head);
}

/* A trusted proxy's word goes before the request's; "" where both are silent.
 */
static const char *host_asked_for(const struct exchange *ex,
                                  const struct forwarded *url) {
  if (url->host[0] != '\0')
    return url->host;
  return ex->head.host == NULL ? "" : ex->head.host;
}

static bool is_listed(const struct settings_server *server, const char *host) {
  for (size_t i = 0; server->hosts[i] != NULL; i++)
    if (authority_matches(host, server->hosts[i]))
      return true;
  return false;
}

/* A host that isn't listed makes no link: the first of the list does. */
static void add_host(struct exchange *ex, struct buf *out,
                     const struct forwarded *url) {
  const struct settings_server *server = server_of(ex);
  const char *host = host_asked_for(ex, url), *first = server->hosts[0];
  size_t len = strlen(host);
  if (first != NULL && !is_listed(server, host)) {
    host = first;
    len = authority_pattern_len(first);
  }
  if (len == 0)
    return;
  bool tls = url->proto[0] != '\0' ? strcmp(url->proto, "https") == 0
                                   : ingress_is_tls(ex->conn);
  buf_addf(out, "%s://%.*s", tls ? "https" : "http", (int)len, host);
}

bool ownurl_add(struct exchange *ex, struct buf *out, const char *path) {
  struct forwarded url;
  if (server_of(ex)->public_url[0] != '\0') {
    buf_adds(out, server_of(ex)->public_url);
  } else {
    read_forwarded(ex, &url);
    add_host(ex, out, &url);
    buf_adds(out, url.prefix);
  }
  return buf_adds(out, path);
}

bool ownurl_location(struct exchange *ex, struct buf *out, const char *path) {
  struct forwarded url;
  if (server_of(ex)->public_url[0] != '\0')
    return ownurl_add(ex, out, path);
  read_forwarded(ex, &url);
  buf_adds(out, url.prefix);
  return buf_adds(out, path);
}

/* The host of a URL, perhaps with its port. */
static const char *authority_of(const char *url, size_t *len) {
  const char *scheme = strstr(url, "://");
  const char *at = scheme == NULL ? "" : scheme + 3;
  *len = strcspn(at, "/");
  return at;
}

bool ownurl_is(struct exchange *ex, const char *origin) {
  const struct settings_server *server = server_of(ex);
  struct forwarded url;
  size_t len, public_len;
  const char *host = authority_of(origin, &len);
  const char *public = authority_of(server->public_url, &public_len);
  if (len == 0)
    return false;
  if (len == public_len && strncasecmp(host, public, len) == 0)
    return true;
  if (server->hosts[0] != NULL)
    return is_listed(server, host);
  read_forwarded(ex, &url);
  return strcasecmp(host, host_asked_for(ex, &url)) == 0;
}
