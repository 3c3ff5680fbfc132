/* SPDX-License-Identifier: MIT
 *
 * From YAML to a table of tokens.  Whatever isn't known is refused: a word
 * that was misspelt must not turn into a token that may do more.
 */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "date.h"
#include "words.h"
#include "yamlstream.h"

enum field { SHA256, IDENTITY, OPERATIONS, PREFIXES, EXPIRES, FIELDS };

static const char *const fields[] = {"sha256",   "identity", "operations",
                                     "prefixes", "expires",  NULL};

struct reading {
  struct yamlstream *stream;
  struct tokens *tokens;
  size_t room;
};

static bool no_memory(struct reading *r, unsigned line) {
  return yamlstream_fault(r->stream, line, "out of memory");
}

static bool tokens_unknown(struct reading *r,
                           const struct yamlstream_value *value,
                           const char *what, const char *const *words) {
  char known[256];
  const char *nearest = words_nearest(value->text, words);
  if (nearest != NULL)
    return yamlstream_fault(r->stream, value->line,
                            "unknown %s '%.64s'; did you mean '%s'?", what,
                            value->text, nearest);
  words_join(known, sizeof known, words);
  return yamlstream_fault(r->stream, value->line,
                          "unknown %s '%.64s'; there is %s", what, value->text,
                          known);
}

static bool expect(struct reading *r, struct yamlstream_value *value,
                   enum yamlstream_kind kind, const char *what) {
  if (!yamlstream_next(r->stream, value))
    return false;
  if (value->kind == kind)
    return true;
  return yamlstream_fault(r->stream, value->line, "%s", what);
}

/* ---- the fields of a token ---------------------------------------------- */

static bool read_hash(struct reading *r, struct token *token) {
  struct yamlstream_value value;
  if (!expect(r, &value, YAMLSTREAM_TEXT, "sha256 is one text"))
    return false;
  if (strlen(value.text) == 2 * sizeof token->hash &&
      codec_unhex(token->hash, sizeof token->hash, value.text))
    return true;
  return yamlstream_fault(r->stream, value.line,
                          "sha256 isn't 64 hexadecimal digits; make it with "
                          "printf %%s KEY | sha256sum");
}

/* As sluice_request_identify() takes it. */
static bool is_identity(const char *text) {
  size_t len = strlen(text);
  if (len == 0 || len > TOKENS_IDENTITY_MAX || !codec_utf8_valid(text, len))
    return false;
  while (*text != '\0')
    if (codec_control(codec_utf8_next(&text)))
      return false;
  return true;
}

static bool read_identity(struct reading *r, struct token *token) {
  struct yamlstream_value value;
  if (!expect(r, &value, YAMLSTREAM_TEXT, "identity is one text"))
    return false;
  if (!is_identity(value.text))
    return yamlstream_fault(r->stream, value.line,
                            "identity is empty, longer than %d bytes, or has "
                            "control characters; write another",
                            TOKENS_IDENTITY_MAX);
  token->identity = strdup(value.text);
  return token->identity != NULL || no_memory(r, value.line);
}

static bool read_operations(struct reading *r, struct token *token) {
  const char *words[OPERATION_WORDS];
  struct yamlstream_value value;
  if (!expect(r, &value, YAMLSTREAM_LIST,
              "operations is a list; write [upload, list]"))
    return false;
  operation_words(words, "*");
  while (yamlstream_next(r->stream, &value)) {
    if (value.kind == YAMLSTREAM_END)
      return true;
    if (value.kind != YAMLSTREAM_TEXT)
      return yamlstream_fault(r->stream, value.line,
                              "an operation is one word");
    unsigned bits = grants_operation(value.text);
    if (bits == 0)
      return tokens_unknown(r, &value, "operation", words);
    token->grants.operations |= bits;
  }
  return false;
}

static bool add_prefix(struct reading *r, char **prefixes, size_t count,
                       const struct yamlstream_value *value) {
  if (value->kind != YAMLSTREAM_TEXT)
    return yamlstream_fault(r->stream, value->line, "a prefix is one text");
  const char *fault = grants_prefix_fault(value->text);
  if (fault != NULL)
    return yamlstream_fault(r->stream, value->line, "%s", fault);
  if (count == GRANTS_PREFIXES_MAX)
    return yamlstream_fault(r->stream, value->line,
                            "more than %d prefixes; write shorter ones that "
                            "hold for several",
                            GRANTS_PREFIXES_MAX);
  prefixes[count] = strdup(value->text);
  return prefixes[count] != NULL || no_memory(r, value->line);
}

/* Prefixes that were read when it fails are freed with the token. */
static bool read_prefixes(struct reading *r, struct token *token) {
  struct yamlstream_value value;
  size_t count = 0;
  char **prefixes = calloc(GRANTS_PREFIXES_MAX + 1, sizeof *prefixes);
  token->grants.prefixes = (const char *const *)prefixes;
  if (prefixes == NULL)
    return no_memory(r, 1);
  bool ok = expect(r, &value, YAMLSTREAM_LIST,
                   "prefixes is a list; write [\"users/{user}/\"]");
  while (ok && (ok = yamlstream_next(r->stream, &value)) &&
         value.kind != YAMLSTREAM_END)
    ok = add_prefix(r, prefixes, count++, &value);
  char **kept = ok ? realloc(prefixes, (count + 1) * sizeof *prefixes) : NULL;
  if (kept != NULL)
    token->grants.prefixes = (const char *const *)kept;
  return ok;
}

static bool read_expires(struct reading *r, struct token *token) {
  struct yamlstream_value value;
  if (!expect(r, &value, YAMLSTREAM_TEXT, "expires is one time"))
    return false;
  return date_rfc3339_parse(value.text, &token->expires_s) ||
         yamlstream_fault(r->stream, value.line,
                          "expires isn't a time; write it as "
                          "2027-01-31T00:00:00Z");
}

/* ---- tokens ------------------------------------------------------------- */

static bool read_field(struct reading *r, struct token *token,
                       enum field field) {
  switch (field) {
  case SHA256:
    return read_hash(r, token);
  case IDENTITY:
    return read_identity(r, token);
  case OPERATIONS:
    return read_operations(r, token);
  case PREFIXES:
    return read_prefixes(r, token);
  case EXPIRES:
    return read_expires(r, token);
  case FIELDS:
    break;
  }
  return false;
}

static bool tokens_read_key(struct reading *r,
                            const struct yamlstream_value *key,
                            struct token *token, bool seen[FIELDS]) {
  if (key->kind != YAMLSTREAM_TEXT)
    return yamlstream_fault(r->stream, key->line,
                            "a key is a plain word; write key: value");
  for (size_t i = 0; i < FIELDS; i++) {
    if (strcmp(key->text, fields[i]) != 0)
      continue;
    if (seen[i])
      return yamlstream_fault(r->stream, key->line,
                              "%s is here twice; remove one", fields[i]);
    seen[i] = true;
    return read_field(r, token, (enum field)i);
  }
  return tokens_unknown(r, key, "key", fields);
}

static bool tokens_read_token(struct reading *r, struct token *token) {
  bool seen[FIELDS] = {false};
  struct yamlstream_value key;
  while (yamlstream_next(r->stream, &key)) {
    if (key.kind != YAMLSTREAM_END) {
      if (!tokens_read_key(r, &key, token, seen))
        return false;
      continue;
    }
    for (size_t i = 0; i < EXPIRES; i++)
      if (!seen[i])
        return yamlstream_fault(r->stream, token->line,
                                "this token has no %s; add it", fields[i]);
    return true;
  }
  return false;
}

static struct token *add_token(struct reading *r, unsigned line) {
  struct tokens *tokens = r->tokens;
  if (tokens->count == TOKENS_MAX) {
    yamlstream_fault(r->stream, line,
                     "more than %d tokens; remove those that expired",
                     TOKENS_MAX);
    return NULL;
  }
  if (tokens->count == r->room) {
    size_t room = r->room == 0 ? 16 : r->room * 2;
    struct token *rows = realloc(tokens->rows, room * sizeof *rows);
    if (rows == NULL) {
      no_memory(r, line);
      return NULL;
    }
    tokens->rows = rows;
    r->room = room;
  }
  struct token *token = &tokens->rows[tokens->count++];
  *token = (struct token){.line = line, .expires_s = TOKENS_FOREVER};
  return token;
}

static bool read_tokens(struct reading *r) {
  struct yamlstream_value value;
  if (!expect(r, &value, YAMLSTREAM_LIST,
              "tokens is a list; write a - before each"))
    return false;
  while (yamlstream_next(r->stream, &value)) {
    if (value.kind == YAMLSTREAM_END)
      return true;
    if (value.kind != YAMLSTREAM_MAPPING)
      return yamlstream_fault(r->stream, value.line,
                              "a token is a mapping with sha256, identity, "
                              "operations and prefixes");
    struct token *token = add_token(r, value.line);
    if (token == NULL || !tokens_read_token(r, token))
      return false;
  }
  return false;
}

static bool tokens_read_file(struct reading *r) {
  static const char *const top[] = {"tokens", NULL};
  struct yamlstream_value value;
  bool seen = false;
  if (!expect(r, &value, YAMLSTREAM_MAPPING,
              "the file isn't a mapping; begin it with tokens:"))
    return false;
  while (yamlstream_next(r->stream, &value)) {
    if (value.kind == YAMLSTREAM_END && seen)
      return yamlstream_ends(r->stream);
    if (value.kind != YAMLSTREAM_TEXT)
      return yamlstream_fault(r->stream, value.line,
                              "there are no tokens; write tokens: []");
    if (strcmp(value.text, "tokens") != 0)
      return tokens_unknown(r, &value, "key", top);
    if (seen)
      return yamlstream_fault(r->stream, value.line,
                              "tokens is here twice; remove one");
    seen = true;
    if (!read_tokens(r))
      return false;
  }
  return false;
}

/* ---- the table ---------------------------------------------------------- */

static int by_hash(const void *a, const void *b) {
  const struct token *x = a, *y = b;
  return memcmp(x->hash, y->hash, sizeof x->hash);
}

static bool tokens_sort(struct reading *r) {
  struct tokens *tokens = r->tokens;
  if (tokens->count > 0)
    qsort(tokens->rows, tokens->count, sizeof *tokens->rows, by_hash);
  for (size_t i = 1; i < tokens->count; i++) {
    unsigned one = tokens->rows[i - 1].line, other = tokens->rows[i].line;
    if (by_hash(&tokens->rows[i - 1], &tokens->rows[i]) == 0)
      return yamlstream_fault(r->stream, one > other ? one : other,
                              "its sha256 is that of the token in line %u; "
                              "remove one",
                              one < other ? one : other);
  }
  return true;
}

struct tokens *tokens_parse(const char *file, const char *data, size_t len,
                            struct errmsg *err) {
  struct reading r = {
      .stream = yamlstream_new(file, data, len, "begin it with tokens:", err)};
  if (r.stream == NULL)
    return NULL;
  r.tokens = calloc(1, sizeof *r.tokens);
  bool ok = r.tokens != NULL ? tokens_read_file(&r) && tokens_sort(&r)
                             : no_memory(&r, 1);
  yamlstream_free(r.stream);
  if (ok)
    return r.tokens;
  tokens_free(r.tokens);
  return NULL;
}

void tokens_free(struct tokens *tokens) {
  if (tokens == NULL)
    return;
  for (size_t i = 0; i < tokens->count; i++) {
    const char *const *prefixes = tokens->rows[i].grants.prefixes;
    for (size_t p = 0; prefixes != NULL && prefixes[p] != NULL; p++)
      free((char *)prefixes[p]);
    free((char **)prefixes);
    free(tokens->rows[i].identity);
  }
  free(tokens->rows);
  free(tokens);
}

const struct token *tokens_find(const struct tokens *tokens,
                                const unsigned char hash[DIGEST_SHA256_LEN]) {
  struct token wanted = {.line = 0};
  if (tokens->count == 0)
    return NULL;
  memcpy(wanted.hash, hash, sizeof wanted.hash);
  const struct token *found = bsearch(&wanted, tokens->rows, tokens->count,
                                      sizeof *tokens->rows, by_hash);
  if (found == NULL || !digest_equal(found->hash, hash, sizeof found->hash))
    return NULL;
  return found;
}
