/* SPDX-License-Identifier: MIT
 *
 * A write that was over before another one began, which was over before a
 * reader began, can't be what the reader finds: that is all that is judged.
 */
#include "history.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "codec.h"

#define KEYS_MAX 512
#define VALUES_MAX 8192
#define MD5_BYTES 16
#define ID_DIGITS 8
#define LARGE_MAX 400000
#define SMALL_MAX 3000

struct write {
  struct write *next;
  unsigned value;
  uint64_t begun, ended; /* UINT64_MAX: nobody knows */
};

struct record {
  char *key;
  struct write *writes;
};

static struct {
  struct record *records[KEYS_MAX];
  size_t count;
  uint64_t clock;
  unsigned values;
  char etags[VALUES_MAX][2 * MD5_BYTES + 1];
} history;

uint64_t history_clock(void) {
  return ++history.clock;
}

/* ---- values ------------------------------------------------------------- */

static void sum(unsigned value, char out[2 * MD5_BYTES + 1]) {
  unsigned char md5[MD5_BYTES];
  size_t len = value_len(value);
  char *bytes = malloc(len);
  if (bytes == NULL)
    abort();
  value_fill(value, bytes);
  EVP_Digest(bytes, len, md5, NULL, EVP_md5(), NULL);
  codec_hex(out, md5, sizeof md5);
  free(bytes);
}

unsigned value_new(void) {
  if (++history.values == VALUES_MAX)
    trace_found("too many values");
  sum(history.values, history.etags[history.values]);
  return history.values;
}

unsigned value_any(void) {
  return 1 + (unsigned)chance_below(history.values);
}

const char *value_etag(unsigned value) {
  return history.etags[value];
}

unsigned value_of_etag(const char *etag, size_t len) {
  for (unsigned i = 1; len == 2 * MD5_BYTES && i <= history.values; i++)
    if (memcmp(history.etags[i], etag, len) == 0)
      return i;
  return 0;
}

size_t value_len(unsigned value) {
  uint64_t chosen = chance_mix(value);
  uint64_t most = chosen % 4 == 0 ? LARGE_MAX : SMALL_MAX;
  return VALUE_MIN + (size_t)(chosen / 4 % most);
}

void value_fill(unsigned value, char *out) {
  size_t len = value_len(value);
  char id[ID_DIGITS + 1];
  uint64_t bytes = 0;
  for (size_t i = 0; i < len; i++) {
    if (i % sizeof bytes == 0)
      bytes = chance_mix((uint64_t)value << 32 | i);
    out[i] = (char)('a' + (bytes >> i % sizeof bytes * 8 & 0xff) % 26);
  }
  snprintf(id, sizeof id, "%0*x", ID_DIGITS, value);
  memcpy(out, id, ID_DIGITS);
}

unsigned value_of(const char *data, size_t len, const char *where) {
  char id[ID_DIGITS + 1] = "";
  memcpy(id, data, len < ID_DIGITS ? len : ID_DIGITS);
  unsigned value = (unsigned)strtoul(id, NULL, 16);
  if (value == 0 || value > history.values || len != value_len(value))
    trace_found("%s: %zu bytes are nobody's: %s", where, len, id);
  char *bytes = malloc(len);
  value_fill(value, bytes);
  size_t i = 0;
  while (i < len && data[i] == bytes[i])
    i++;
  free(bytes);
  if (i < len)
    trace_found("%s: value %u has another byte at %zu", where, value, i);
  return value;
}

/* ---- records ------------------------------------------------------------ */

struct write *history_write(struct record *record, unsigned value) {
  struct write *write = calloc(1, sizeof *write);
  if (write == NULL)
    abort();
  *write = (struct write){.next = record->writes,
                          .value = value,
                          .begun = history_clock(),
                          .ended = UINT64_MAX};
  record->writes = write;
  return write;
}

void history_done(struct write *write) {
  write->ended = history_clock();
}

/* It stays in its list, as what can't be. */
void history_not_done(struct write *write) {
  write->begun = UINT64_MAX;
}

struct record *history_record(const char *key) {
  for (size_t i = 0; i < history.count; i++)
    if (strcmp(history.records[i]->key, key) == 0)
      return history.records[i];
  if (history.count == KEYS_MAX)
    trace_found("too many keys");
  struct record *record = calloc(1, sizeof *record);
  if (record == NULL || (record->key = strdup(key)) == NULL)
    abort();
  history.records[history.count++] = record;
  struct write *first = history_write(record, HISTORY_GONE);
  first->begun = first->ended = 0;
  return record;
}

const char *history_key(const struct record *record) {
  return record->key;
}

size_t history_count(void) {
  return history.count;
}

struct record *history_at(size_t i) {
  return history.records[i];
}

void history_fini(void) {
  while (history.count > 0) {
    struct record *record = history.records[--history.count];
    while (record->writes != NULL) {
      struct write *next = record->writes->next;
      free(record->writes);
      record->writes = next;
    }
    free(record->key);
    free(record);
  }
}

/* ---- what could be ------------------------------------------------------ */

static bool is_covered(const struct record *record, const struct write *write,
                       uint64_t since, const struct write *but) {
  const struct write *other = record->writes;
  for (; other != NULL; other = other->next)
    if (other != but && write->ended < other->begun &&
        other->begun != UINT64_MAX && other->ended < since)
      return true;
  return false;
}

static bool could(const struct record *record, const struct write *write,
                  uint64_t since, const struct write *but) {
  return write != but && write->begun != UINT64_MAX &&
         !is_covered(record, write, since, but);
}

bool history_could(const struct record *record, unsigned value, uint64_t since,
                   const struct write *but) {
  const struct write *write = record->writes;
  for (; write != NULL; write = write->next)
    if (write->value == value && could(record, write, since, but))
      return true;
  return false;
}

bool history_could_not(const struct record *record, unsigned value,
                       uint64_t since, const struct write *but) {
  const struct write *write = record->writes;
  for (; write != NULL; write = write->next)
    if (write->value != value && could(record, write, since, but))
      return true;
  return false;
}

size_t history_all(const struct record *record, unsigned *values, size_t max) {
  const struct write *write = record->writes;
  uint64_t now = history_clock();
  size_t n = 0;
  for (; write != NULL && n < max; write = write->next)
    if (could(record, write, now, NULL))
      values[n++] = write->value;
  return n;
}

/* A write that was seen has taken effect by then, and hides what was over
 * before. */
void history_saw(struct record *record, unsigned value, uint64_t since) {
  struct write *only = NULL, *write;
  size_t n = 0;
  for (write = record->writes; write != NULL; write = write->next) {
    if (write->value != value || !could(record, write, since, NULL))
      continue;
    only = write;
    n++;
  }
  if (n == 0)
    trace_found("%s holds value %u, which can't be", record->key, value);
  if (n == 1 && only->ended == UINT64_MAX)
    only->ended = history_clock();
}
