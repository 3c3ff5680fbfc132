/* SPDX-License-Identifier: MIT
 *
 * Checks of put, data and commit: the bytes, and what is said of them.
 */
#include "suite.h"

#include <string.h>
#include <time.h>

#include "objects.h"

#define CLOCKS_MS (3600 * 1000) /* how far the storage's clock may be off */

/* Stores it and reads it back. */
static void round_trip(struct fixture *fixture, const char *name,
                       struct op_driver_put put) {
  struct fixture_key key = fixture_key(fixture, name);
  put.key = key.text;
  enum sluice_status status = objects_try(fixture, &put);
  fixture_need(fixture, status == SLUICE_OK,
               "a put of %llu bytes ended with %s",
               (unsigned long long)put.sample.length, op_driver_word(status));
  objects_expect(fixture, key.text, put.sample);
}

static void sizes(struct fixture *fixture) {
  static const uint64_t lengths[] = {1,     100,   4095,  4096,  16384,
                                     16385, 65535, 65536, 65537, 200000};
  for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    round_trip(fixture, "sizes",
               (struct op_driver_put){.sample = {i, lengths[i]}});
}

static void writes_empty(struct fixture *fixture) {
  round_trip(fixture, "empty", (struct op_driver_put){.sample = {1, 0}});
  round_trip(fixture, "empty", (struct op_driver_put){.sample = {1, 10}});
  round_trip(fixture, "empty",
             (struct op_driver_put){.sample = {1, 0}, .hinted = true});
}

static void chunks(struct fixture *fixture) {
  static const struct {
    size_t chunk;
    uint64_t length;
  } ways[] = {{1, 40}, {7, 701}, {4097, 100000}, {1 << 20, (1 << 20) + 1}};
  for (uint32_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (int last = 0; last < 2; last++)
      round_trip(fixture, "chunks",
                 (struct op_driver_put){.sample = {i, ways[i].length},
                                        .chunk = ways[i].chunk,
                                        .empty_last = last == 1});
}

static void hints(struct fixture *fixture) {
  static const uint64_t lengths[] = {0, 1, 70000, 200000};
  static const int64_t slacks[] = {0, 1, 1 << 20};
  for (uint32_t i = 0; i < 4; i++)
    for (size_t k = 0; k < 3; k++)
      round_trip(fixture, "hints",
                 (struct op_driver_put){.sample = {i, lengths[i]},
                                        .hinted = true,
                                        .slack = slacks[k]});
}

static void large(struct fixture *fixture) {
  struct sample sample = {5, fixture->plan->large};
  round_trip(fixture, "large",
             (struct op_driver_put){.sample = sample, .chunk = 256 << 10});
  round_trip(fixture, "large",
             (struct op_driver_put){
                 .sample = sample, .chunk = 256 << 10, .hinted = true});
  objects_remove(fixture, fixture_key(fixture, "large").text);
}

static void replaced(struct fixture *fixture) {
  static const uint64_t lengths[] = {200000, 10, 0, 70000, 69999, 1};
  for (uint32_t i = 0; i < 6; i++)
    round_trip(fixture, "replaced",
               (struct op_driver_put){.sample = {i, lengths[i]}});
}

/* ---- what is said of an object ------------------------------------------ */

static const char *value_of(const struct op_driver *driver, const char *name) {
  for (size_t i = 0; i < driver->user_count; i++)
    if (strcmp(driver->names[i], name) == 0)
      return driver->values[i];
  return NULL;
}

static void expect_pairs(struct op_driver *driver,
                         const struct sluice_pair *pairs) {
  size_t count = 0;
  for (; pairs[count].name != NULL; count++) {
    const char *value = value_of(driver, pairs[count].name);
    fixture_need(driver->fixture,
                 value != NULL && strcmp(value, pairs[count].value) == 0,
                 "%s: the metadata '%s' was stored as \"%s\" and came back as "
                 "\"%s\"",
                 driver->what, pairs[count].name, pairs[count].value,
                 value == NULL ? "nothing" : value);
  }
  fixture_need(driver->fixture, driver->user_count == count,
               "%s: %zu pairs of metadata came instead of %zu", driver->what,
               driver->user_count, count);
}

/* The names that the gateway uses, and file names as people have them: without
 * a folder, which the gateway cuts off. */
static void metadata(struct fixture *fixture) {
  static const char *const names[] = {"Отчёт 5% +=?&\"' 日本😀.pdf",
                                      "plain.txt",
                                      " a  b ",
                                      "=?UTF-8?Q?a?= %41",
                                      "caf\xc3\xa9, cafe\xcc\x81",
                                      "a\xef\xbb\xbf;b=c"};
  struct fixture_key key = fixture_key(fixture, "metadata");
  struct op_driver driver;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const struct sluice_pair pairs[] = {
        {"original-filename", names[i]},
        {"md5", "d41d8cd98f00b204e9800998ecf8427e"},
        {"uploaded-by", "EXAMPLE\\alice@example.org"},
        {NULL, NULL}};
    enum sluice_status status = objects_try(
        fixture, &(struct op_driver_put){
                     .key = key.text, .user = pairs, .sample = {1, 10}});
    fixture_need(fixture, status == SLUICE_OK,
                 "a put with metadata ended with %s", op_driver_word(status));
    objects_head(fixture, key.text, &driver);
    expect_pairs(&driver, pairs);
    op_driver_fini(&driver);
    op_driver_init(&driver, fixture);
    op_driver_start_get(&driver, &(struct op_driver_get){.key = key.text});
    op_driver_wait(&driver);
    expect_pairs(&driver, pairs);
    op_driver_fini(&driver);
  }
  /* Another object of that key has none of it. */
  objects_put(fixture, key.text, (struct sample){2, 10});
  objects_head(fixture, key.text, &driver);
  expect_pairs(&driver, (const struct sluice_pair[]){{NULL, NULL}});
  op_driver_fini(&driver);
}

static void types(struct fixture *fixture) {
  static const char *const types[] = {"text/plain; charset=utf-8",
                                      "application/octet-stream",
                                      "image/svg+xml"};
  struct fixture_key key = fixture_key(fixture, "types");
  for (size_t i = 0; i < 3; i++) {
    struct op_driver driver;
    objects_try(fixture, &(struct op_driver_put){.key = key.text,
                                                 .type = types[i],
                                                 .sample = {1, i}});
    objects_head(fixture, key.text, &driver);
    fixture_need(fixture,
                 driver.type != NULL && strcmp(driver.type, types[i]) == 0,
                 "%s: the type '%s' came back as '%s'", driver.what, types[i],
                 driver.type == NULL ? "" : driver.type);
    op_driver_fini(&driver);
  }
}

/* A client would decode what isn't encoded. */
static void codings(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "codings");
  struct op_driver driver;
  objects_put(fixture, key.text, (struct sample){1, 10});
  objects_head(fixture, key.text, &driver);
  fixture_need(fixture, driver.encoding == NULL,
               "%s: the meta says Content-Encoding '%s' of what was stored "
               "without one",
               driver.what, driver.encoding);
  op_driver_fini(&driver);
}

static bool is_etag(const char *etag) {
  return etag != NULL && etag[0] != '\0' && strchr(etag, '"') == NULL;
}

static bool writes_same(const char *a, const char *b) {
  return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void etags(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "etags");
  struct op_driver first, second;
  objects_put(fixture, key.text, (struct sample){1, 1000});
  objects_head(fixture, key.text, &first);
  objects_put(fixture, key.text, (struct sample){2, 1000});
  objects_head(fixture, key.text, &second);
  if (first.meta.etag == NULL)
    fixture_skip(fixture, "there are none");
  fixture_need(fixture, is_etag(first.meta.etag),
               "%s: the etag is '%s'; it has to be without quotes", first.what,
               first.meta.etag);
  fixture_need(fixture,
               second.meta.etag != NULL &&
                   !writes_same(first.meta.etag, second.meta.etag),
               "%s: other bytes have the same etag, '%s'", first.what,
               first.meta.etag);
  op_driver_fini(&first);
  op_driver_init(&first, fixture);
  op_driver_start_get(&first, &(struct op_driver_get){.key = key.text});
  op_driver_wait(&first);
  fixture_need(fixture, writes_same(first.meta.etag, second.meta.etag),
               "%s: the etag '%s' is another one than head's, '%s'",
               first.what, first.meta.etag == NULL ? "" : first.meta.etag,
               second.meta.etag);
  op_driver_fini(&first);
  op_driver_fini(&second);
}

static void times(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "times");
  struct op_driver driver;
  objects_put(fixture, key.text, (struct sample){1, 1});
  int64_t now = (int64_t)time(NULL) * 1000;
  objects_head(fixture, key.text, &driver);
  fixture_need(fixture,
               driver.meta.mtime_ms > now - CLOCKS_MS &&
                   driver.meta.mtime_ms < now + CLOCKS_MS,
               "%s: stored just now, and its time is %lld ms since 1970 (now: "
               "%lld)",
               driver.what, (long long)driver.meta.mtime_ms, (long long)now);
  op_driver_fini(&driver);
}

#define BYTES "data() lends one and sluice_next() returns it"
#define META "sluice_meta: The facts about an object."

const struct check write_checks[] = {
    {"put: the stored bytes are read back", BYTES, sizes, CHECK_USUAL},
    {"put: an object of no bytes", "set on the last one, maybe empty",
     writes_empty, CHECK_USUAL},
    {"put: any chunks make the same object", BYTES, chunks, CHECK_USUAL},
    {"put: the told length is only a hint",
     "length: of the object, a hint: at most this; -1: unknown", hints,
     CHECK_USUAL},
    {"put: a large object", BYTES, large, CHECK_USUAL},
    {"put: a second object of a key replaces all of the first",
     "when it is done, all of it is durable", replaced, CHECK_USUAL},
    {"put: metadata comes back", META, metadata, CHECK_USUAL},
    {"put: the media type comes back", META, types, CHECK_USUAL},
    {"meta: no coding is said of what has none", META, codings, CHECK_USUAL},
    {"meta: the etag goes with the bytes", "etag: without quotes; NULL: none",
     etags, CHECK_USUAL},
    {"meta: the time is the commit's", "mtime_ms: since 1970, UTC", times,
     CHECK_USUAL},
    {0}};
