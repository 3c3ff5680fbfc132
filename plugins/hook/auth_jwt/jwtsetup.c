/* SPDX-License-Identifier: MIT
 *
 * The checks of start(): options that leave a door open by mistake are
 * refused, and files are read.
 */
#include <string.h>

#include "challenge.h"
#include "jwtcache.h"
#include "jwtconf.h"
#include "words.h"

#define SECOND 1000
#define HOUR (3600 * SECOND)
#define DAY ((int64_t)24 * HOUR)

static bool is_url(const char *text) {
  return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

/* ---- options ------------------------------------------------------------ */

static bool jwtsetup_check_numbers(const struct jwtconf *conf,
                                   struct errmsg *errmsg) {
  const struct {
    const char *name, *range;
    int64_t value, least, most;
  } rows[] = {
      {"leeway", "0 to 5m", conf->leeway_ms, 0, 300 * SECOND},
      {"refresh", "1s to 1d", conf->refresh_ms, SECOND, DAY},
      {"refresh_pause", "100ms to 1h", conf->pause_ms, 100, HOUR},
      {"keep", "1s to 30d", conf->keep_ms, SECOND, 30 * DAY},
      {"timeout", "100ms to 30s", conf->timeout_ms, 100, 30 * SECOND},
      {"cache", "0 to 65536", conf->cache, 0, JWTCACHE_MAX},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].value < rows[i].least || rows[i].value > rows[i].most)
      return errmsg_set(errmsg, "'%s' is out of range; write %s", rows[i].name,
                        rows[i].range);
  if (conf->pause_ms > conf->refresh_ms)
    return errmsg_set(errmsg, "'refresh_pause' is longer than 'refresh'; "
                              "shorten it");
  if (conf->keep_ms < conf->refresh_ms)
    return errmsg_set(errmsg, "'keep' is shorter than 'refresh', so that keys "
                              "would end between; write a longer one");
  return true;
}

static bool check_url(const char *url, struct errmsg *errmsg) {
  const char *host = strstr(url, "//") + 2;
  for (const char *c = url; *c != '\0'; c++)
    if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '#')
      return errmsg_set(errmsg, "'jwks' has a character that a URL can't "
                                "have; percent-encode it");
  if (strcspn(host, "/?:") == 0 || strcspn(host, "@") < strcspn(host, "/?"))
    return errmsg_set(errmsg, "'jwks' has no host, or a name and password; "
                              "write https://host/path");
  return true;
}

static bool check_source(const struct jwtconf *conf, struct errmsg *errmsg) {
  int sources = (conf->secret[0] != '\0') + (conf->secret_file[0] != '\0') +
                (conf->key_file[0] != '\0') + (conf->jwks[0] != '\0');
  if (sources != 1)
    return errmsg_set(errmsg,
                      "there are %s keys: write one of 'jwks', "
                      "'key_file', 'secret_file' and 'secret'",
                      sources == 0 ? "no" : "several sources of");
  return !is_url(conf->jwks) || check_url(conf->jwks, errmsg);
}

static bool take_algorithms(struct jwtsetup *setup, struct errmsg *errmsg) {
  const char *const *name = setup->conf->algorithms;
  for (; *name != NULL; name++) {
    enum jwa alg = jwa_named(*name);
    char known[128];
    words_join(known, sizeof known, jwa_names);
    if (alg == JWA_UNKNOWN)
      return errmsg_set(errmsg, "'algorithms': '%.32s' is none; there are %s",
                        *name, known);
    setup->algorithms |= JWA_BIT(alg);
  }
  return setup->algorithms != 0 ||
         errmsg_set(errmsg, "'algorithms' is empty; leave it out for all");
}

static bool take_grants(struct jwtsetup *setup, struct errmsg *errmsg) {
  const struct jwtconf *conf = setup->conf;
  struct grants grants = {0};
  if (!grants_take_operations(&grants, conf->operations, errmsg) ||
      !grants_take_prefixes(&grants, conf->prefixes, errmsg))
    return false;
  setup->policy.operations = grants.operations;
  setup->policy.prefixes = grants.prefixes;
  if (grants.operations == 0 && conf->operations_claim[0] == '\0')
    return errmsg_set(errmsg, "nobody may do anything: write 'operations', "
                              "[\"*\"] for all, or 'operations_claim'");
  if (grants.prefixes[0] == NULL && conf->prefixes_claim[0] == '\0')
    return errmsg_set(errmsg, "nobody reaches any key: write 'prefixes', "
                              "[\"\"] for all keys, or 'prefixes_claim'");
  return true;
}

static bool check_texts(const struct jwtconf *conf, struct errmsg *errmsg) {
  const char *fault = challenge_realm_fault(conf->realm);
  if (fault != NULL)
    return errmsg_set(errmsg, "'realm' %s", fault);
  return conf->identity_claim[0] != '\0' ||
         errmsg_set(errmsg, "'identity_claim' is empty; write sub, or another "
                            "claim that every token has");
}

/* ---- keys --------------------------------------------------------------- */

/* On a thread of the pool, or at the start. */
static void *parse_file(const char *data, size_t len, void *arg,
                        struct errmsg *errmsg) {
  const struct jwtconf *conf = arg;
  const char *path = conf->jwks;
  struct errmsg why = {""};
  struct jwks *keys;
  if (conf->key_file[0] != '\0') {
    path = conf->key_file;
    keys = jwks_pem(data, len, &why);
  } else if (conf->secret_file[0] != '\0') {
    path = conf->secret_file;
    keys = jwks_secret(data, len, &why);
  } else {
    keys = jwks_read(data, len, true, &why);
  }
  if (keys == NULL)
    errmsg_set(errmsg, "%.200s: %s", path, why.text);
  return keys;
}

static void free_keys(void *keys) {
  jwks_free(keys);
}

static void set_sources(struct jwtsetup *setup) {
  const struct jwtconf *conf = setup->conf;
  const char *path = conf->key_file[0] != '\0'      ? conf->key_file
                     : conf->secret_file[0] != '\0' ? conf->secret_file
                                                    : conf->jwks;
  setup->file = (struct watch_file){.path = path,
                                    .max = JWKS_TEXT_MAX,
                                    .interval_ms = conf->refresh_ms,
                                    .parse = parse_file,
                                    .free = free_keys,
                                    .arg = (void *)conf,
                                    .told = &setup->told};
  setup->settings = (struct issuer_settings){.ca_file = conf->ca_file,
                                             .proxy = conf->proxy,
                                             .timeout_ms = conf->timeout_ms,
                                             .refresh_ms = conf->refresh_ms,
                                             .pause_ms = conf->pause_ms,
                                             .keep_ms = conf->keep_ms,
                                             .told = &setup->issuer_told};
  if (is_url(path))
    setup->settings.url = path;
  else if (path[0] != '\0')
    setup->settings.file = &setup->file;
}

bool jwtsetup_init(struct jwtsetup *setup, const struct jwtconf *conf,
                   struct errmsg *errmsg) {
  setup->conf = conf;
  setup->policy =
      (struct claims_policy){.issuer = conf->issuer,
                             .audience = conf->audience,
                             .types = conf->types,
                             .leeway_s = conf->leeway_ms / SECOND,
                             .identity_claim = conf->identity_claim,
                             .operations_claim = conf->operations_claim,
                             .operations_prefix = conf->operations_prefix,
                             .prefixes_claim = conf->prefixes_claim};
  set_sources(setup);
  return jwtsetup_check_numbers(conf, errmsg) && check_source(conf, errmsg) &&
         take_algorithms(setup, errmsg) && take_grants(setup, errmsg) &&
         check_texts(conf, errmsg);
}

struct jwks *jwtsetup_keys(const struct jwtsetup *setup,
                           struct errmsg *errmsg) {
  const char *secret = setup->conf->secret;
  struct errmsg why = {""};
  if (setup->settings.url != NULL)
    return NULL;
  if (setup->settings.file != NULL)
    return watch_read(setup->settings.file, errmsg);
  struct jwks *keys = jwks_secret(secret, strlen(secret), &why);
  if (keys == NULL)
    errmsg_set(errmsg, "'secret': %s", why.text);
  return keys;
}
