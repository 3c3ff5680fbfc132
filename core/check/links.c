/* SPDX-License-Identifier: MIT
 *
 * Checks of presign and verify.
 */
#include "links.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act.h"
#include "suite.h"

#define SIGNED_URL "https://files.example.org/signed"

static struct sluice_link link_of(const char *key) {
  return (struct sluice_link){.key = key,
                              .method = "GET",
                              .expires_s = (int64_t)time(NULL) + 600,
                              .seconds = 600,
                              .signed_url = SIGNED_URL};
}

/* The URL, to be freed. */
static char *make(struct lab *lab, const struct sluice_link *link) {
  struct act act;
  act_init(&act, lab);
  act_presign(&act, link);
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  lab_need(lab, act.text_count == 1, "%s: %zu texts came instead of one",
           act.what, act.text_count);
  char *url = strdup(act.texts[0]);
  if (url == NULL)
    abort();
  act_fini(&act);
  return url;
}

static enum sluice_status verify(struct lab *lab, const char *method,
                                 const char *query) {
  struct act act;
  act_init(&act, lab);
  act_verify(&act, &(struct sluice_claim){.method = method, .query = query});
  act_wait(&act);
  enum sluice_status status = act.status;
  act_fini(&act);
  return status;
}

static void need_presign(struct lab *lab) {
  if (lab->backend->presign == NULL)
    lab_skip(lab, "it makes no links");
}

static void need_verify(struct lab *lab) {
  need_presign(lab);
  if (lab->backend->verify == NULL)
    lab_skip(lab, "its links aren't served by the gateway");
}

/* The part of its URL that verify() is asked with. */
static char *query_of(struct lab *lab, const struct sluice_link *link) {
  char *url = make(lab, link);
  size_t len = strlen(SIGNED_URL);
  lab_need(lab, strncmp(url, SIGNED_URL "?", len + 1) == 0,
           "presign: the link '%s' isn't one below signed_url, %s", url,
           SIGNED_URL);
  memmove(url, url + len + 1, strlen(url) - len);
  return url;
}

/* ---- presign ------------------------------------------------------------ */

static bool is_url(const char *text) {
  bool scheme =
      strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
  for (; *text != '\0'; text++)
    if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 127 ||
        strchr("\"<>\\^`{|}#", *text) != NULL)
      return false;
  return scheme;
}

static void urls(struct lab *lab) {
  static const char *const names[] = {"a", "a b+c%&#?=/d", "ключ/😀", "a//b"};
  need_presign(lab);
  for (size_t i = 0; i < 4; i++) {
    struct lab_key key = lab_key(lab, names[i]);
    struct sluice_link link = link_of(key.text);
    char *plain = make(lab, &link);
    link.disposition = "attachment; filename*=UTF-8''%D0%BA.pdf";
    link.type = "text/plain; charset=utf-8";
    char *full = make(lab, &link);
    lab_need(lab, is_url(plain) && is_url(full),
             "presign: '%s' isn't a URL; all but unreserved characters have "
             "to be escaped",
             is_url(plain) ? full : plain);
    free(plain);
    free(full);
  }
}

static void overrides(struct lab *lab) {
  need_presign(lab);
  struct lab_key key = lab_key(lab, "overrides");
  struct sluice_link link = link_of(key.text);
  char *plain = make(lab, &link);
  link.disposition = "attachment";
  char *one = make(lab, &link);
  link.type = "text/plain";
  char *both = make(lab, &link);
  lab_need(lab, strcmp(plain, one) != 0 && strcmp(one, both) != 0,
           "presign: disposition or type don't change the link '%s'", both);
  free(plain);
  free(one);
  free(both);
}

/* ---- verify ------------------------------------------------------------- */

static void expect_link(struct lab *lab, const struct sluice_link *link) {
  const char *wanted[] = {link->key,
                          link->disposition ? link->disposition : "",
                          link->type ? link->type : ""};
  char *query = query_of(lab, link);
  struct act act;
  act_init(&act, lab);
  act_verify(&act,
             &(struct sluice_claim){.method = link->method, .query = query});
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  lab_need(lab, act.text_count >= 1, "%s: no text came, not even the key",
           act.what);
  for (size_t i = 0; i < 3; i++) {
    const char *text = i < act.text_count ? act.texts[i] : "";
    lab_need(lab, strcmp(text, wanted[i]) == 0,
             "%s: '%s' came back instead of '%s'", act.what, text, wanted[i]);
  }
  act_fini(&act);
  free(query);
}

static void come_back(struct lab *lab) {
  static const char *const names[] = {"a", "a b+c%&#?=/d", "ключ/😀", "a//b"};
  need_verify(lab);
  for (size_t i = 0; i < 4; i++) {
    struct lab_key key = lab_key(lab, names[i]);
    struct sluice_link link = link_of(key.text);
    expect_link(lab, &link);
    link.type = "text/plain; charset=utf-8";
    expect_link(lab, &link);
    link.disposition = "attachment; filename=\"a b.pdf\"";
    expect_link(lab, &link);
    link.type = NULL;
    expect_link(lab, &link);
  }
}

static void flipped(struct lab *lab) {
  need_verify(lab);
  struct lab_key key = lab_key(lab, "flipped");
  struct sluice_link link = link_of(key.text);
  link.disposition = "attachment";
  char *query = query_of(lab, &link);
  for (size_t i = 0; query[i] != '\0'; i++) {
    query[i] ^= 1;
    enum sluice_status status = verify(lab, "GET", query);
    lab_need(lab, status != SLUICE_OK,
             "verify: taken, though byte %zu was changed: '%s'", i, query);
    query[i] ^= 1;
  }
  for (size_t len = strlen(query); len-- > 0;) {
    char kept = query[len];
    query[len] = '\0';
    lab_need(lab, verify(lab, "GET", query) != SLUICE_OK,
             "verify: taken, though it was cut: '%s'", query);
    query[len] = kept;
  }
  free(query);
}

static void refused(struct lab *lab) {
  static const char *const texts[] = {"",    "x=y",   "&&&",
                                      "key", "key=",  "%",
                                      "%zz", "a=%00", "key=a&key=b",
                                      "?"};
  need_verify(lab);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    enum sluice_status status = verify(lab, "GET", texts[i]);
    lab_need(lab, status == SLUICE_EDENIED,
             "verify: '%s' ended with %s instead of SLUICE_EDENIED", texts[i],
             act_word(status));
  }
}

static void other_methods(struct lab *lab) {
  static const char *const methods[] = {"DELETE", "PUT", "POST", "get", ""};
  need_verify(lab);
  struct lab_key key = lab_key(lab, "methods");
  struct sluice_link link = link_of(key.text);
  char *query = query_of(lab, &link);
  for (size_t i = 0; i < 5; i++)
    lab_need(lab, verify(lab, methods[i], query) != SLUICE_OK,
             "verify: a link for GET is taken for '%s'", methods[i]);
  free(query);
}

static void expired(struct lab *lab) {
  need_verify(lab);
  struct lab_key key = lab_key(lab, "expired");
  struct sluice_link link = link_of(key.text);
  link.expires_s = (int64_t)time(NULL) - 1;
  link.seconds = 1;
  char *query = query_of(lab, &link);
  enum sluice_status status = verify(lab, "GET", query);
  lab_need(lab, status == SLUICE_EDENIED,
           "verify: a link that is over ended with %s instead of "
           "SLUICE_EDENIED",
           act_word(status));
  free(query);
}

void links_tour(struct lab *lab, const char *key) {
  if (lab->backend->presign == NULL)
    return;
  struct sluice_link link = link_of(key);
  if (lab->backend->verify != NULL)
    expect_link(lab, &link);
  else
    free(make(lab, &link));
}

#define DENIED "SLUICE_EDENIED when anything is wrong"

const struct check link_checks[] = {
    {"presign: links are URLs", "sluice_text() with the URL, done", urls,
     false},
    {"presign: disposition and type are in the link",
     "disposition: Content-Disposition to answer with, or NULL", overrides,
     false},
    {"verify: a link comes back as it went",
     "sluice_text() with the key, then, where the link has them, with "
     "disposition and type",
     come_back, false},
    {"verify: a changed link is refused", DENIED, flipped, false},
    {"verify: what is no link is refused", DENIED, refused, false},
    {"verify: a link is for its method", DENIED, other_methods, false},
    {"verify: a link ends in time", "expires_s: since 1970, UTC", expired,
     false},
    {NULL, NULL, NULL, false}};
