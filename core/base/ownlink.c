/* SPDX-License-Identifier: MIT
 *
 * Signed queries.  Called with what clients send.  Values are percent-encoded,
 * so no value can hold a separator.
 */
#include "ownlink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "expiry.h"
#include "quantity.h"
#include "seal.h"
#include "token.h"

#define SCOPE_MAX 4096
#define SIGNATURE "&signature="
#define HEX_LEN (2 * DIGEST_SHA256_LEN)
#define TAIL_LEN (sizeof SIGNATURE - 1 + HEX_LEN)
#define ESTABLISHED 'h' /* by a hook */
#define SAID 's'        /* by the client */

static const char *const methods[] = {
    [OWNLINK_GET] = "GET", [OWNLINK_PUT] = "PUT", [OWNLINK_POST] = "POST"};
#define METHODS (sizeof methods / sizeof *methods)

const char *ownlink_method_name(enum ownlink_method method) {
  return methods[method];
}

bool ownlink_method_find(const char *name, enum ownlink_method *method) {
  for (size_t i = 0; i < METHODS; i++)
    if (strcmp(methods[i], name) == 0) {
      *method = (enum ownlink_method)i;
      return true;
    }
  return false;
}

static bool sign(char hex[HEX_LEN + 1], const struct digest_key *key,
                 const char *scope, const char *query, size_t len) {
  unsigned char mac[DIGEST_SHA256_LEN];
  struct buf text;
  buf_init(&text, OWNLINK_MAX + SCOPE_MAX);
  bool ok = buf_adds(&text, scope) && buf_add(&text, query, len);
  if (ok) {
    digest_key_sum(key, mac, text.data, text.len);
    codec_hex(hex, mac, sizeof mac);
  }
  buf_fini(&text);
  return ok;
}

/* ---- making one --------------------------------------------------------- */

static void add_text(struct buf *url, const char *name, const char *value) {
  if (value == NULL)
    return;
  buf_addf(url, "&%s=", name);
  codec_percent(url, value, strlen(value), CODEC_UNRESERVED);
}

static void add_number(struct buf *url, const char *name, uint64_t value) {
  if (value > 0)
    buf_addf(url, "&%s=%" PRIu64, name, value);
}

static void add_owner(struct buf *url, const struct ownlink *link,
                      const struct digest_key *key) {
  struct buf plain;
  if (link->by == NULL)
    return;
  buf_init(&plain, OWNLINK_MAX);
  buf_addc(&plain, link->established ? ESTABLISHED : SAID);
  buf_adds(&plain, link->by);
  buf_adds(url, "&by=");
  if (plain.overflown || !seal_close(url, key, plain.data, plain.len))
    url->overflown = true;
  buf_fini(&plain);
}

bool ownlink_make(struct buf *url, struct ownlink *link,
                  const struct digest_key *key, const char *scope) {
  char hex[HEX_LEN + 1];
  size_t start = url->len;
  linkid_make(link->id, key, link->by, link->expires_s);
  buf_addf(url, "id=%s&expires=%" PRId64, link->id, link->expires_s);
  if (link->method != OWNLINK_GET)
    add_text(url, "method", methods[link->method]);
  add_text(url, link->method == OWNLINK_POST ? "prefix" : "key", link->name);
  add_text(url, "filename", link->filename);
  add_text(url, "inline", link->is_inline ? "true" : NULL);
  add_text(url, "replace", link->replace ? "true" : NULL);
  add_text(url, "types", link->types);
  add_number(url, "max_bytes", link->max_bytes);
  add_number(url, "expire_after", link->expire_after);
  add_number(url, "uses", link->uses);
  add_text(url, "backend", link->backend);
  add_number(url, "number", link->number);
  add_owner(url, link, key);
  return !url->overflown && url->len - start <= OWNLINK_MAX - TAIL_LEN &&
         sign(hex, key, scope, url->data + start, url->len - start) &&
         buf_adds(url, SIGNATURE) && buf_adds(url, hex);
}

/* ---- reading one -------------------------------------------------------- */

struct reading {
  struct ownlink *link;
  const struct digest_key *key;
  struct buf value; /* of the word that is read */
  bool of_prefix;   /* the name is one */
  bool bad; /* what was signed can't be read: another version made it */
};

static void ownlink_read_text(struct reading *reading, char **text) {
  char *copy = *text == NULL ? strdup(reading->value.data) : NULL;
  if (copy == NULL)
    reading->bad = true;
  else
    *text = copy;
}

static uint64_t number_of(struct reading *reading, uint64_t most) {
  int64_t number = 0;
  if (!quantity_int(reading->value.data, &number) || number < 0 ||
      (uint64_t)number > most)
    reading->bad = true;
  return reading->bad ? 0 : (uint64_t)number;
}

static bool is_true(const struct reading *reading) {
  return strcmp(reading->value.data, "true") == 0;
}

static void read_id(struct reading *reading) {
  if (reading->value.len == LINKID_SIZE - 1)
    memcpy(reading->link->id, reading->value.data, LINKID_SIZE);
}

static void read_expires(struct reading *reading) {
  reading->link->expires_s = (int64_t)number_of(reading, INT64_MAX);
}

static void ownlink_read_method(struct reading *reading) {
  if (!ownlink_method_find(reading->value.data, &reading->link->method))
    reading->bad = true;
}

static void read_key(struct reading *reading) {
  ownlink_read_text(reading, &reading->link->name);
}

static void read_prefix(struct reading *reading) {
  ownlink_read_text(reading, &reading->link->name);
  reading->of_prefix = true;
}

static void ownlink_read_filename(struct reading *reading) {
  ownlink_read_text(reading, &reading->link->filename);
}

static void read_inline(struct reading *reading) {
  reading->link->is_inline = is_true(reading);
}

static void read_replace(struct reading *reading) {
  reading->link->replace = is_true(reading);
}

static void read_types(struct reading *reading) {
  ownlink_read_text(reading, &reading->link->types);
}

static void read_max_bytes(struct reading *reading) {
  reading->link->max_bytes = number_of(reading, INT64_MAX);
}

static void read_expire_after(struct reading *reading) {
  reading->link->expire_after = number_of(reading, EXPIRY_MAX_S);
}

static void read_uses(struct reading *reading) {
  reading->link->uses = (uint32_t)number_of(reading, OWNLINK_USES_MAX);
}

static void read_backend(struct reading *reading) {
  ownlink_read_text(reading, &reading->link->backend);
}

static void ownlink_read_number(struct reading *reading) {
  reading->link->number = number_of(reading, INT64_MAX);
}

static void read_owner(struct reading *reading) {
  struct buf plain;
  buf_init(&plain, OWNLINK_MAX);
  bool ok = reading->link->by == NULL &&
            seal_open(&plain, reading->key, reading->value.data,
                      reading->value.len) &&
            plain.len > 1;
  if (ok) {
    reading->link->established = plain.data[0] == ESTABLISHED;
    reading->link->by = strdup(plain.data + 1);
  }
  reading->bad = reading->bad || !ok || reading->link->by == NULL;
  buf_fini(&plain);
}

static const struct {
  const char *name;
  void (*read)(struct reading *);
} words[] = {{"id", read_id},
             {"expires", read_expires},
             {"method", ownlink_read_method},
             {"key", read_key},
             {"prefix", read_prefix},
             {"filename", ownlink_read_filename},
             {"inline", read_inline},
             {"replace", read_replace},
             {"types", read_types},
             {"max_bytes", read_max_bytes},
             {"expire_after", read_expire_after},
             {"uses", read_uses},
             {"backend", read_backend},
             {"number", ownlink_read_number},
             {"by", read_owner}};
#define WORDS (sizeof words / sizeof *words)

/* One that isn't known may be a limit, which nobody would hold to. */
static void ownlink_read_word(struct reading *reading, const char *word,
                              size_t len) {
  const char *equals = memchr(word, '=', len);
  size_t name = equals == NULL ? len : (size_t)(equals - word), i = 0;
  while (i < WORDS && (strlen(words[i].name) != name ||
                       memcmp(words[i].name, word, name) != 0))
    i++;
  buf_clear(&reading->value);
  if (i == WORDS || equals == NULL ||
      !codec_unpercent(&reading->value, equals + 1, len - name - 1, true) ||
      !codec_utf8_valid(reading->value.data, reading->value.len))
    reading->bad = true;
  else
    words[i].read(reading);
}

static void read_all(struct reading *reading, const char *query, size_t len) {
  const struct ownlink *link = reading->link;
  const char *end = query + len;
  for (const char *at = query; at < end && !reading->bad;) {
    const char *and = memchr(at, '&', (size_t)(end - at));
    size_t size = (size_t)((and == NULL ? end : and) - at);
    ownlink_read_word(reading, at, size);
    at += size + 1;
  }
  if (link->name == NULL || link->id[0] == '\0' ||
      reading->of_prefix != (link->method == OWNLINK_POST))
    reading->bad = true;
}

static bool is_signed(const struct digest_key *key, const char *scope,
                      const char *query, size_t len) {
  char hex[HEX_LEN + 1];
  const char *tail = query + len;
  return memcmp(tail, SIGNATURE, sizeof SIGNATURE - 1) == 0 &&
         sign(hex, key, scope, query, len) &&
         digest_equal(hex, tail + sizeof SIGNATURE - 1, HEX_LEN);
}

enum ownlink_verdict ownlink_read(struct ownlink *link,
                                  const struct digest_key *key,
                                  const char *scope, const char *query,
                                  int64_t now_s) {
  size_t len = query == NULL ? 0 : strlen(query);
  *link = (struct ownlink){0};
  if (len <= TAIL_LEN || len > OWNLINK_MAX ||
      !is_signed(key, scope, query, len - TAIL_LEN))
    return OWNLINK_INVALID;
  struct reading reading = {.link = link, .key = key};
  buf_init(&reading.value, OWNLINK_MAX);
  read_all(&reading, query, len - TAIL_LEN);
  buf_fini(&reading.value);
  if (reading.bad)
    return OWNLINK_INVALID;
  return now_s > link->expires_s ? OWNLINK_EXPIRED : OWNLINK_GOOD;
}

void ownlink_fini(struct ownlink *link) {
  free(link->name);
  free(link->filename);
  free(link->types);
  free(link->backend);
  free(link->by);
  *link = (struct ownlink){0};
}

char *ownlink_backend(const char *query) {
  static const char word[] = "&backend=";
  const char *at = query == NULL ? NULL : strstr(query, word);
  struct buf name;
  if (at == NULL)
    return NULL;
  at += sizeof word - 1;
  buf_init(&name, OWNLINK_MAX);
  char *taken = codec_unpercent(&name, at, strcspn(at, "&"), true)
                    ? buf_take(&name)
                    : NULL;
  buf_fini(&name);
  return taken;
}

/* ---- media types -------------------------------------------------------- */

static size_t ownlink_token_len(const char *text) {
  size_t len = 0;
  while (token_char((unsigned char)text[len]))
    len++;
  return len;
}

bool ownlink_type_valid(const char *type) {
  size_t len = ownlink_token_len(type);
  if (len == 0 || type[len] != '/' || memchr(type, '*', len) != NULL ||
      strlen(type) > OWNLINK_TYPE_MAX)
    return false;
  const char *rest = type + len + 1;
  size_t more = ownlink_token_len(rest);
  return more > 0 && rest[more] == '\0' &&
         (memchr(rest, '*', more) == NULL || strcmp(rest, "*") == 0);
}

/* allowed[0..len) is "image/png" or "image/" "*"; so is essence. */
static bool is_of(const char *essence, size_t essence_len, const char *allowed,
                  size_t len) {
  char word[OWNLINK_TYPE_MAX + 1];
  if (len == 0 || len > OWNLINK_TYPE_MAX)
    return false;
  bool family = allowed[len - 1] == '*';
  size_t compared = family ? len - 1 : len;
  memcpy(word, allowed, compared);
  word[compared] = '\0';
  if (family ? essence_len <= compared : essence_len != compared)
    return false;
  return codec_same(essence, compared, word);
}

bool ownlink_takes(const struct ownlink *link, const char *type) {
  if (link->types == NULL)
    return true;
  size_t essence = strcspn(type, "; \t");
  for (const char *at = link->types; *at != '\0';) {
    size_t len = strcspn(at, ",");
    if (is_of(type, essence, at, len))
      return true;
    at += len + (at[len] == ',');
  }
  return false;
}
