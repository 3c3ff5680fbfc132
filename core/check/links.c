/* SPDX-License-Identifier: MIT
 *
 * Checks of presign and verify.
 */
#include "links.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "op_driver.h"
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
static char *links_make(struct fixture *fixture,
                        const struct sluice_link *link) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_presign(&driver, link);
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  fixture_need(fixture, driver.text_count == 1,
               "%s: %zu texts came instead of one", driver.what,
               driver.text_count);
  char *url = strdup(driver.texts[0]);
  if (url == NULL)
    abort();
  op_driver_fini(&driver);
  return url;
}

static enum sluice_status links_verify(struct fixture *fixture,
                                       const char *method, const char *query) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_verify(&driver,
                   &(struct sluice_claim){.method = method, .query = query});
  op_driver_wait(&driver);
  enum sluice_status status = driver.status;
  op_driver_fini(&driver);
  return status;
}

static void need_presign(struct fixture *fixture) {
  if (fixture->backend->presign == NULL)
    fixture_skip(fixture, "it makes no links");
}

static void need_verify(struct fixture *fixture) {
  need_presign(fixture);
  if (fixture->backend->verify == NULL)
    fixture_skip(fixture, "its links aren't served by the gateway");
}

/* The part of its URL that verify() is asked with. */
static char *query_of(struct fixture *fixture,
                      const struct sluice_link *link) {
  char *url = links_make(fixture, link);
  size_t len = strlen(SIGNED_URL);
  fixture_need(fixture, strncmp(url, SIGNED_URL "?", len + 1) == 0,
               "presign: the link '%s' isn't one below signed_url, %s", url,
               SIGNED_URL);
  memmove(url, url + len + 1, strlen(url) - len);
  return url;
}

/* ---- presign ------------------------------------------------------------ */

static bool links_is_url(const char *text) {
  bool scheme =
      strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
  for (; *text != '\0'; text++)
    if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 127 ||
        strchr("\"<>\\^`{|}#", *text) != NULL)
      return false;
  return scheme;
}

static void urls(struct fixture *fixture) {
  static const char *const names[] = {"a", "a b+c%&#?=/d", "ключ/😀", "a//b"};
  need_presign(fixture);
  for (size_t i = 0; i < 4; i++) {
    struct fixture_key key = fixture_key(fixture, names[i]);
    struct sluice_link link = link_of(key.text);
    char *plain = links_make(fixture, &link);
    link.disposition = "attachment; filename*=UTF-8''%D0%BA.pdf";
    link.type = "text/plain; charset=utf-8";
    char *full = links_make(fixture, &link);
    fixture_need(
        fixture, links_is_url(plain) && links_is_url(full),
        "presign: '%s' isn't a URL; all but unreserved characters have "
        "to be escaped",
        links_is_url(plain) ? full : plain);
    free(plain);
    free(full);
  }
}

static void overrides(struct fixture *fixture) {
  need_presign(fixture);
  struct fixture_key key = fixture_key(fixture, "overrides");
  struct sluice_link link = link_of(key.text);
  char *plain = links_make(fixture, &link);
  link.disposition = "attachment";
  char *one = links_make(fixture, &link);
  link.type = "text/plain";
  char *both = links_make(fixture, &link);
  fixture_need(fixture, strcmp(plain, one) != 0 && strcmp(one, both) != 0,
               "presign: disposition or type don't change the link '%s'",
               both);
  free(plain);
  free(one);
  free(both);
}

/* ---- verify ------------------------------------------------------------- */

static void expect_link(struct fixture *fixture,
                        const struct sluice_link *link) {
  const char *wanted[] = {link->key,
                          link->disposition ? link->disposition : "",
                          link->type ? link->type : ""};
  char *query = query_of(fixture, link);
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_verify(
      &driver, &(struct sluice_claim){.method = link->method, .query = query});
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  fixture_need(fixture, driver.text_count >= 1,
               "%s: no text came, not even the key", driver.what);
  for (size_t i = 0; i < 3; i++) {
    const char *text = i < driver.text_count ? driver.texts[i] : "";
    fixture_need(fixture, strcmp(text, wanted[i]) == 0,
                 "%s: '%s' came back instead of '%s'", driver.what, text,
                 wanted[i]);
  }
  op_driver_fini(&driver);
  free(query);
}

static void come_back(struct fixture *fixture) {
  static const char *const names[] = {"a", "a b+c%&#?=/d", "ключ/😀", "a//b"};
  need_verify(fixture);
  for (size_t i = 0; i < 4; i++) {
    struct fixture_key key = fixture_key(fixture, names[i]);
    struct sluice_link link = link_of(key.text);
    expect_link(fixture, &link);
    link.type = "text/plain; charset=utf-8";
    expect_link(fixture, &link);
    link.disposition = "attachment; filename=\"a b.pdf\"";
    expect_link(fixture, &link);
    link.type = NULL;
    expect_link(fixture, &link);
  }
}

static void flipped(struct fixture *fixture) {
  need_verify(fixture);
  struct fixture_key key = fixture_key(fixture, "flipped");
  struct sluice_link link = link_of(key.text);
  link.disposition = "attachment";
  char *query = query_of(fixture, &link);
  for (size_t i = 0; query[i] != '\0'; i++) {
    query[i] ^= 1;
    enum sluice_status status = links_verify(fixture, "GET", query);
    fixture_need(fixture, status != SLUICE_OK,
                 "verify: taken, though byte %zu was changed: '%s'", i, query);
    query[i] ^= 1;
  }
  for (size_t len = strlen(query); len-- > 0;) {
    char kept = query[len];
    query[len] = '\0';
    fixture_need(fixture, links_verify(fixture, "GET", query) != SLUICE_OK,
                 "verify: taken, though it was cut: '%s'", query);
    query[len] = kept;
  }
  free(query);
}

static void links_refused(struct fixture *fixture) {
  static const char *const texts[] = {"",    "x=y",   "&&&",
                                      "key", "key=",  "%",
                                      "%zz", "a=%00", "key=a&key=b",
                                      "?"};
  need_verify(fixture);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    enum sluice_status status = links_verify(fixture, "GET", texts[i]);
    fixture_need(fixture, status == SLUICE_EDENIED,
                 "verify: '%s' ended with %s instead of SLUICE_EDENIED",
                 texts[i], op_driver_word(status));
  }
}

static void other_methods(struct fixture *fixture) {
  static const char *const methods[] = {"DELETE", "PUT", "POST", "get", ""};
  need_verify(fixture);
  struct fixture_key key = fixture_key(fixture, "methods");
  struct sluice_link link = link_of(key.text);
  char *query = query_of(fixture, &link);
  for (size_t i = 0; i < 5; i++)
    fixture_need(fixture,
                 links_verify(fixture, methods[i], query) != SLUICE_OK,
                 "verify: a link for GET is taken for '%s'", methods[i]);
  free(query);
}

static void links_expired(struct fixture *fixture) {
  need_verify(fixture);
  struct fixture_key key = fixture_key(fixture, "expired");
  struct sluice_link link = link_of(key.text);
  link.expires_s = (int64_t)time(NULL) - 1;
  link.seconds = 1;
  char *query = query_of(fixture, &link);
  enum sluice_status status = links_verify(fixture, "GET", query);
  fixture_need(fixture, status == SLUICE_EDENIED,
               "verify: a link that is over ended with %s instead of "
               "SLUICE_EDENIED",
               op_driver_word(status));
  free(query);
}

void links_round_trip(struct fixture *fixture, const char *key) {
  if (fixture->backend->presign == NULL)
    return;
  struct sluice_link link = link_of(key);
  if (fixture->backend->verify != NULL)
    expect_link(fixture, &link);
  else
    free(links_make(fixture, &link));
}

#define DENIED "SLUICE_EDENIED when anything is wrong"

const struct check link_checks[] = {
    {"presign: links are URLs", "sluice_text() with the URL, done", urls,
     CHECK_USUAL},
    {"presign: disposition and type are in the link",
     "disposition: Content-Disposition to answer with, or NULL", overrides,
     CHECK_USUAL},
    {"verify: a link comes back as it went",
     "sluice_text() with the key, then, where the link has them, with "
     "disposition and type",
     come_back, CHECK_USUAL},
    {"verify: a changed link is refused", DENIED, flipped, CHECK_USUAL},
    {"verify: a query that is no link is refused", DENIED, links_refused,
     CHECK_USUAL},
    {"verify: a link is for its method", DENIED, other_methods, CHECK_USUAL},
    {"verify: a link ends in time", "expires_s: since 1970, UTC",
     links_expired, CHECK_USUAL},
    {0}};
