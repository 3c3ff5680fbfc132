/* SPDX-License-Identifier: MIT
 *
 * server.tls: the files and rules of TLS.  What is in the files, and which
 * ciphers there are, is found out by whoever makes a context of them.
 */
#include <string.h>

#include "options.h"
#include "settings_parts.h"
#include "settings_tables.h"

#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS 86400000
#define TLS(f) offsetof(struct settings_tls, f)

static const struct sluice_option tls_table[] = {
    {"certificate", SLUICE_STRING, "", TLS(certificate),
     "PEM file with the certificate and its chain"},
    {"private_key", SLUICE_STRING, "", TLS(private_key),
     "PEM file with the private key"},
    {"min_version", SLUICE_STRING, "1.2", TLS(min_version),
     "the oldest TLS that is spoken: 1.2 or 1.3"},
    {"ciphers", SLUICE_STRING, "", TLS(ciphers),
     "of TLS 1.2, by OpenSSL's names with : between; default: Mozilla's "
     "intermediate ones"},
    {"client_ca", SLUICE_STRING, "", TLS(client_ca),
     "PEM file of those who sign clients' certificates; default: none is "
     "asked for"},
    {"client_certificate", SLUICE_STRING, "required", TLS(client_certificate),
     "with client_ca: required or optional"},
    {"interval", SLUICE_TIME, "1m", TLS(interval_ms),
     "how often to look whether the files changed; 0: at SIGHUP only"},
    {0}};

static bool check_version(const struct settings *s,
                          const struct config_node *node, struct errmsg *err) {
  static const char *const versions[] = {"1.2", "1.3", NULL};
  const struct settings_tls *tls = &s->server.tls;
  if (!words_has(versions, tls->min_version))
    return config_fault(s->config, settings_line(node, "min_version"), err,
                        "'min_version': '%.64s' is not known; write one of "
                        "1.2, 1.3",
                        tls->min_version);
  return *tls->ciphers == '\0' || strcmp(tls->min_version, "1.3") != 0 ||
         config_fault(s->config, settings_line(node, "ciphers"), err,
                      "'ciphers' are those of TLS 1.2, which 'min_version' "
                      "leaves out; remove one of them");
}

static bool check_clients(const struct settings *s,
                          const struct config_node *node, struct errmsg *err) {
  static const char *const words[] = {"required", "optional", NULL};
  const struct settings_tls *tls = &s->server.tls;
  if (!words_has(words, tls->client_certificate))
    return settings_not_one_of(s, settings_line(node, "client_certificate"),
                               "client_certificate", tls->client_certificate,
                               words, err);
  return *tls->client_ca == '\0' || *tls->certificate != '\0' ||
         config_fault(s->config, settings_line(node, "client_ca"), err,
                      "'client_ca' has no use without TLS; write "
                      "'certificate' and 'private_key', too");
}

static bool check_interval(const struct settings *s,
                           const struct config_node *node,
                           struct errmsg *err) {
  int64_t ms = s->server.tls.interval_ms;
  return ms == 0 || (ms >= INTERVAL_MIN_MS && ms <= INTERVAL_MAX_MS) ||
         config_fault(s->config, settings_line(node, "interval"), err,
                      "'interval': %.64s is out of range; write 0, or 100ms "
                      "to 1d",
                      config_get(node, "interval")->text);
}

bool settings_read_tls(struct settings *s, struct errmsg *err) {
  const struct config_node *server = config_get(s->config->root, "server");
  const struct config_node *node = config_get(server, "tls");
  struct settings_tls *tls = &s->server.tls;
  if (!options_fill(tls_table, NULL, s->config, node, "tls", tls, err))
    return false;
  bool certificate = *tls->certificate != '\0';
  bool key = *tls->private_key != '\0';
  if (certificate != key)
    return config_fault(s->config, settings_line(server, "tls"), err,
                        "tls: '%s' is missing; write both files, or neither",
                        key ? "certificate" : "private_key");
  return check_version(s, node, err) && check_clients(s, node, err) &&
         check_interval(s, node, err);
}

const struct settings_table settings_tables_tls[] = {{"server.tls", tls_table},
                                                     {NULL, NULL}};
