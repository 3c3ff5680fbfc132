/* SPDX-License-Identifier: MIT
 *
 * server.console and where its readers sign in.
 */
#include <string.h>

#include "address.h"
#include "settings_parts.h"
#include "words.h"

#define ISSUER_MAX 512 /* bytes */
#define CLIENT_MAX 256
#define SCOPE_MAX 512

static const char *issuer_fault(const char *issuer) {
  if (strlen(issuer) > ISSUER_MAX)
    return "it is over 512 bytes; write the issuer's URL alone";
  const char *why = address_url_fault(issuer);
  /* Its host goes into a header where these would end a word. */
  return why == NULL && strpbrk(issuer, ";,'") != NULL
             ? "it has one of ; , ' which no issuer needs; remove it"
             : why;
}

static const char *client_fault(const char *client) {
  if (strlen(client) > CLIENT_MAX)
    return "it is over 256 bytes; write the client_id that the issuer gave";
  for (; *client != '\0'; client++)
    if ((unsigned char)*client < 33 || (unsigned char)*client > 126)
      return "it has a character that no client_id has; write printable "
             "ASCII without spaces";
  return NULL;
}

/* RFC 6749, 3.3: words of printable ASCII without " and \, each a space apart.
 */
static const char *scope_fault(const char *scope) {
  bool apart = true;
  if (strlen(scope) > SCOPE_MAX)
    return "it is over 512 bytes; ask for less";
  for (; *scope != '\0'; scope++) {
    unsigned char c = (unsigned char)*scope;
    if (c < 32 || c > 126 || c == '"' || c == '\\' || (c == ' ' && apart))
      return "it isn't a list of scopes; write them with one space between, "
             "as openid email";
    apart = c == ' ';
  }
  return apart ? "it is empty or ends with a space; write scopes, as openid "
                 "email"
               : NULL;
}

static bool check_issuer(const struct settings *s,
                         const struct config_node *server,
                         struct errmsg *err) {
  const char *issuer = s->server.console_issuer;
  const char *client = s->server.console_client;
  unsigned line = settings_line(server, "console_issuer");
  if (*issuer == '\0' && *client == '\0')
    return true;
  if (*issuer == '\0')
    return config_fault(s->config, settings_line(server, "console_client"),
                        err,
                        "'console_client' is known to an issuer; add "
                        "console_issuer, as in https://id.example");
  if (*client == '\0')
    return config_fault(s->config, line, err,
                        "'console_issuer' needs 'console_client'; add the "
                        "client_id that it gave the console");
  const char *why = issuer_fault(issuer);
  if (why != NULL)
    return config_fault(s->config, line, err, "'console_issuer': '%.128s': %s",
                        issuer, why);
  why = client_fault(client);
  if (why != NULL)
    return config_fault(s->config, settings_line(server, "console_client"),
                        err, "'console_client': %s", why);
  why = scope_fault(s->server.console_scope);
  return why == NULL ||
         config_fault(s->config, settings_line(server, "console_scope"), err,
                      "'console_scope': %s", why);
}

bool settings_read_console(struct settings *s, struct errmsg *err) {
  static const char *const states[] = {"on", "off", "true", "false", NULL};
  const struct config_node *server = config_get(s->config->root, "server");
  const char *text = s->server.console_text;
  if (!words_has(states, text))
    return settings_not_one_of(s, settings_line(server, "console"), "console",
                               text, states, err);
  s->server.console = strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
  return check_issuer(s, server, err);
}
