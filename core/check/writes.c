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
static void round_trip(struct lab *lab, const char *name, struct act_put put) {
  struct lab_key key = lab_key(lab, name);
  put.key = key.text;
  enum sluice_status status = objects_try(lab, &put);
  lab_need(lab, status == SLUICE_OK, "a put of %llu bytes ended with %s",
           (unsigned long long)put.sample.length, act_word(status));
  objects_expect(lab, key.text, put.sample);
}

static void sizes(struct lab *lab) {
  static const uint64_t lengths[] = {1,     100,   4095,  4096,  16384,
                                     16385, 65535, 65536, 65537, 200000};
  for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    round_trip(lab, "sizes", (struct act_put){.sample = {i, lengths[i]}});
}

static void empty(struct lab *lab) {
  round_trip(lab, "empty", (struct act_put){.sample = {1, 0}});
  round_trip(lab, "empty", (struct act_put){.sample = {1, 10}});
  round_trip(lab, "empty", (struct act_put){.sample = {1, 0}, .hinted = true});
}

static void chunks(struct lab *lab) {
  static const struct {
    size_t chunk;
    uint64_t length;
  } ways[] = {{1, 40}, {7, 701}, {4097, 100000}, {1 << 20, (1 << 20) + 1}};
  for (uint32_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (int last = 0; last < 2; last++)
      round_trip(lab, "chunks",
                 (struct act_put){.sample = {i, ways[i].length},
                                  .chunk = ways[i].chunk,
                                  .empty_last = last == 1});
}

static void hints(struct lab *lab) {
  static const uint64_t lengths[] = {0, 1, 70000, 200000};
  static const int64_t slacks[] = {0, 1, 1 << 20};
  for (uint32_t i = 0; i < 4; i++)
    for (size_t k = 0; k < 3; k++)
      round_trip(lab, "hints",
                 (struct act_put){.sample = {i, lengths[i]},
                                  .hinted = true,
                                  .slack = slacks[k]});
}

static void large(struct lab *lab) {
  struct sample sample = {5, lab->plan->large};
  round_trip(lab, "large",
             (struct act_put){.sample = sample, .chunk = 256 << 10});
  round_trip(
      lab, "large",
      (struct act_put){.sample = sample, .chunk = 256 << 10, .hinted = true});
  objects_remove(lab, lab_key(lab, "large").text);
}

static void replaced(struct lab *lab) {
  static const uint64_t lengths[] = {200000, 10, 0, 70000, 69999, 1};
  for (uint32_t i = 0; i < 6; i++)
    round_trip(lab, "replaced", (struct act_put){.sample = {i, lengths[i]}});
}

/* ---- what is said of an object ------------------------------------------ */

static const char *value_of(const struct act *act, const char *name) {
  for (size_t i = 0; i < act->user_count; i++)
    if (strcmp(act->names[i], name) == 0)
      return act->values[i];
  return NULL;
}

static void expect_pairs(struct act *act, const struct sluice_pair *pairs) {
  size_t count = 0;
  for (; pairs[count].name != NULL; count++) {
    const char *value = value_of(act, pairs[count].name);
    lab_need(act->lab, value != NULL && strcmp(value, pairs[count].value) == 0,
             "%s: the metadata '%s' was stored as \"%s\" and came back as "
             "\"%s\"",
             act->what, pairs[count].name, pairs[count].value,
             value == NULL ? "nothing" : value);
  }
  lab_need(act->lab, act->user_count == count,
           "%s: %zu pairs of metadata came instead of %zu", act->what,
           act->user_count, count);
}

/* The names that the gateway uses, and file names as people have them. */
static void metadata(struct lab *lab) {
  static const char *const names[] = {"Отчёт 5% +=?&\"'\\ 日本😀.pdf",
                                      "plain.txt",
                                      " a  b ",
                                      "=?UTF-8?Q?a?= %41",
                                      "caf\xc3\xa9, cafe\xcc\x81",
                                      "a\xef\xbb\xbf;b=c"};
  struct lab_key key = lab_key(lab, "metadata");
  struct act act;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const struct sluice_pair pairs[] = {
        {"original-filename", names[i]},
        {"md5", "d41d8cd98f00b204e9800998ecf8427e"},
        {"uploaded-by", "alice@example.org"},
        {NULL, NULL}};
    enum sluice_status status = objects_try(
        lab,
        &(struct act_put){.key = key.text, .user = pairs, .sample = {1, 10}});
    lab_need(lab, status == SLUICE_OK, "a put with metadata ended with %s",
             act_word(status));
    objects_head(lab, key.text, &act);
    expect_pairs(&act, pairs);
    act_fini(&act);
    act_init(&act, lab);
    act_start_get(&act, &(struct act_get){.key = key.text});
    act_wait(&act);
    expect_pairs(&act, pairs);
    act_fini(&act);
  }
  /* Another object of that key has none of it. */
  objects_put(lab, key.text, (struct sample){2, 10});
  objects_head(lab, key.text, &act);
  expect_pairs(&act, (const struct sluice_pair[]){{NULL, NULL}});
  act_fini(&act);
}

static void types(struct lab *lab) {
  static const char *const types[] = {"text/plain; charset=utf-8",
                                      "application/octet-stream",
                                      "image/svg+xml"};
  struct lab_key key = lab_key(lab, "types");
  for (size_t i = 0; i < 3; i++) {
    struct act act;
    objects_try(lab, &(struct act_put){
                         .key = key.text, .type = types[i], .sample = {1, i}});
    objects_head(lab, key.text, &act);
    lab_need(lab, act.type != NULL && strcmp(act.type, types[i]) == 0,
             "%s: the type '%s' came back as '%s'", act.what, types[i],
             act.type == NULL ? "" : act.type);
    act_fini(&act);
  }
}

/* A client would decode what isn't encoded. */
static void codings(struct lab *lab) {
  struct lab_key key = lab_key(lab, "codings");
  struct act act;
  objects_put(lab, key.text, (struct sample){1, 10});
  objects_head(lab, key.text, &act);
  lab_need(lab, act.encoding == NULL,
           "%s: the meta says Content-Encoding '%s' of what was stored "
           "without one",
           act.what, act.encoding);
  act_fini(&act);
}

static bool is_etag(const char *etag) {
  return etag != NULL && etag[0] != '\0' && strchr(etag, '"') == NULL;
}

static bool same(const char *a, const char *b) {
  return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void etags(struct lab *lab) {
  struct lab_key key = lab_key(lab, "etags");
  struct act first, second;
  objects_put(lab, key.text, (struct sample){1, 1000});
  objects_head(lab, key.text, &first);
  objects_put(lab, key.text, (struct sample){2, 1000});
  objects_head(lab, key.text, &second);
  if (first.meta.etag == NULL)
    lab_skip(lab, "there are none");
  lab_need(lab, is_etag(first.meta.etag),
           "%s: the etag is '%s'; it has to be without quotes", first.what,
           first.meta.etag);
  lab_need(
      lab,
      second.meta.etag != NULL && !same(first.meta.etag, second.meta.etag),
      "%s: other bytes have the same etag, '%s'", first.what, first.meta.etag);
  act_fini(&first);
  act_init(&first, lab);
  act_start_get(&first, &(struct act_get){.key = key.text});
  act_wait(&first);
  lab_need(lab, same(first.meta.etag, second.meta.etag),
           "%s: the etag '%s' is another one than head's, '%s'", first.what,
           first.meta.etag == NULL ? "" : first.meta.etag, second.meta.etag);
  act_fini(&first);
  act_fini(&second);
}

static void times(struct lab *lab) {
  struct lab_key key = lab_key(lab, "times");
  struct act act;
  objects_put(lab, key.text, (struct sample){1, 1});
  int64_t now = (int64_t)time(NULL) * 1000;
  objects_head(lab, key.text, &act);
  lab_need(lab,
           act.meta.mtime_ms > now - CLOCKS_MS &&
               act.meta.mtime_ms < now + CLOCKS_MS,
           "%s: stored just now, and its time is %lld ms since 1970 (now: "
           "%lld)",
           act.what, (long long)act.meta.mtime_ms, (long long)now);
  act_fini(&act);
}

#define BYTES "data() lends one and sluice_next() returns it"
#define META "sluice_meta: What is known of an object."

const struct check write_checks[] = {
    {"put: what was stored is read back", BYTES, sizes, false},
    {"put: an object of no bytes", "set on the last one, maybe empty", empty,
     false},
    {"put: any chunks make the same object", BYTES, chunks, false},
    {"put: the told length is only a hint",
     "length: of the object, a hint: at most this; -1: unknown", hints, false},
    {"put: a large object", BYTES, large, false},
    {"put: a second object of a key replaces all of the first",
     "when it is done, all of it is durable", replaced, false},
    {"put: metadata comes back", META, metadata, false},
    {"put: the media type comes back", META, types, false},
    {"meta: no coding is said of what has none", META, codings, false},
    {"meta: the etag goes with the bytes", "etag: without quotes; NULL: none",
     etags, false},
    {"meta: the time is the commit's", "mtime_ms: since 1970, UTC", times,
     false},
    {NULL, NULL, NULL, false}};
