/* SPDX-License-Identifier: MIT
 *
 * Links of the broken backend: made, and taken back.
 */
#ifndef TESTS_PLUGINS_BROKEN_LINK_H
#define TESTS_PLUGINS_BROKEN_LINK_H

#include "broken.h"

#include <sluice/plugin.h>
#include <stdio.h>

static inline unsigned long long sign(const char *text) {
  unsigned long long sum = 14695981039346656037u;
  for (; *text != '\0'; text++)
    sum = (sum ^ (unsigned char)*text) * 1099511628211u;
  return sum ^ (sum >> 29);
}

static inline void add_hex(char **at, const char *text) {
  for (; text != NULL && *text != '\0'; text++)
    *at += snprintf(*at, 3, "%02x", (unsigned char)*text);
}

static inline bool is_raw(const struct handle *handle,
                          const struct sluice_link *link) {
  return breaks(handle, "raw_url") && link->disposition != NULL &&
         strstr(link->disposition, "UTF-8") != NULL;
}

static inline void presign(void *arg, struct sluice_op *op,
                           const struct sluice_link *link) {
  struct handle *handle = arg;
  char query[8192], url[10000], *at = query;
  at += snprintf(at, 64, "%s&%lld&", link->method, (long long)link->expires_s);
  add_hex(&at, link->key);
  *at++ = '&';
  add_hex(&at, link->disposition);
  *at++ = '&';
  add_hex(&at, link->type);
  *at = '\0';
  snprintf(url, sizeof url, "%s?%s&%016llx%s", link->signed_url, query,
           sign(query), is_raw(handle, link) ? " " : "");
  sluice_text(op, url);
  sluice_done(op, SLUICE_OK, NULL);
}

static inline bool say_hex(struct sluice_op *op, const char *hex) {
  char text[4096];
  size_t len = strlen(hex) / 2;
  for (size_t i = 0; i < len; i++) {
    char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'}, *stop;
    text[i] = (char)strtoul(digits, &stop, 16);
    if (*stop != '\0' || text[i] == '\0')
      return false;
  }
  text[len] = '\0';
  sluice_text(op, text);
  return true;
}

static inline bool check(struct handle *handle, struct sluice_op *op,
                         const struct sluice_claim *claim, char *query) {
  char *parts[6], *rest = query, *mark = strrchr(query, '&');
  if (mark == NULL)
    return false;
  *mark = '\0';
  char sum[17];
  snprintf(sum, sizeof sum, "%016llx", sign(query));
  if (strcmp(sum, mark + 1) != 0 && !breaks(handle, "verifies_all"))
    return false;
  for (int i = 0; i < 5; i++)
    if ((parts[i] = strsep(&rest, "&")) == NULL)
      return false;
  if (breaks(handle, "loses_disposition"))
    parts[3][0] = '\0';
  if (strcmp(parts[0], claim->method) != 0 &&
      !(breaks(handle, "any_method") && parts[0][0] == 'G'))
    return false;
  if (strtoll(parts[1], NULL, 10) < time(NULL) && !breaks(handle, "forever"))
    return false;
  return say_hex(op, parts[2]) && say_hex(op, parts[3]) &&
         say_hex(op, parts[4]);
}

static inline void verify(void *arg, struct sluice_op *op,
                          const struct sluice_claim *claim) {
  char *query = strdup(claim->query);
  bool ok = check(arg, op, claim, query);
  free(query);
  sluice_done(op, ok ? SLUICE_OK : SLUICE_EDENIED, NULL);
}

#endif
