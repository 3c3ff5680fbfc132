/* SPDX-License-Identifier: MIT
 *
 * Many keys removed by DeleteObjects, without conditions.  A key that the
 * answer doesn't say is gone, or that XML has no place for, is removed by a
 * request of its own, some at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "must.h"
#include "put.h"

#define DOCUMENT_MAX (8u << 20)
#define AT_ONCE 16

enum key_state { KEY_ASKED, KEY_GONE, KEY_REFUSED };

struct many;

struct single { /* a request of its own; its call is NULL: free */
  struct many *many;
  struct s3_call *call;
  struct s3_request request;
  size_t index;
};

struct many {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call; /* NULL: it has ended */
  struct s3_request request;
  struct xml_events xml;
  const char *const *keys;
  size_t count, next; /* the next that may need a request of its own */
  size_t *sorted;     /* indices, by key */
  enum key_state *states;
  struct buf document;
  char md5[32], sha256[65];
  struct single singles[AT_ONCE];
};

static void many_free(struct many *many) {
  free(many->sorted);
  free(many->states);
  buf_fini(&many->document);
  free(many);
}

static void many_cancel(void *work) {
  struct many *many = work;
  struct sluice_op *op = many->op;
  if (many->call != NULL)
    s3_call_cancel(many->call);
  for (size_t i = 0; i < AT_ONCE; i++)
    if (many->singles[i].call != NULL)
      s3_call_cancel(many->singles[i].call);
  many_free(many);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

static void many_refuse(struct many *many, size_t index,
                        enum sluice_status status) {
  many->states[index] = KEY_REFUSED;
  sluice_failed(many->op, index, status);
}

/* ---- one by one --------------------------------------------------------- */

static void many_go_on(struct many *many);

static void many_on_removed(void *arg, struct s3_call *call,
                            const struct s3_answer *answer) {
  struct single *single = arg;
  struct many *many = single->many;
  (void)call;
  /* A 404 that no S3 service sends says nothing of the object. */
  bool gone = answer->status == SLUICE_OK ||
              (answer->status == SLUICE_ENOENT && answer->code[0] != '\0');
  single->call = NULL;
  if (gone)
    many->states[single->index] = KEY_GONE;
  else
    many_refuse(many, single->index,
                answer->status == SLUICE_ENOENT ? SLUICE_EUPSTREAM
                                                : answer->status);
  sluice_alive(many->op);
  many_go_on(many);
}

static void start_single(struct many *many, struct single *single) {
  static const struct s3_events events = {.done = many_on_removed};
  single->many = many;
  single->index = many->next++;
  single->request = (struct s3_request){.behind = many->op,
                                        .method = "DELETE",
                                        .key = many->keys[single->index]};
  single->call = s3_call_start(many->loop, &single->request, &events, single);
}

static void many_go_on(struct many *many) {
  bool busy = false;
  for (size_t i = 0; i < AT_ONCE; i++) {
    while (many->next < many->count && many->states[many->next] != KEY_ASKED)
      many->next++;
    if (many->singles[i].call == NULL && many->next < many->count)
      start_single(many, &many->singles[i]);
    busy |= many->singles[i].call != NULL;
  }
  if (busy)
    return;
  struct sluice_op *op = many->op;
  many_free(many);
  sluice_done(op, SLUICE_OK, NULL);
}

/* ---- all at once -------------------------------------------------------- */

static int by_key(const void *a, const void *b, void *arg) {
  const struct many *many = arg;
  return strcmp(many->keys[*(const size_t *)a],
                many->keys[*(const size_t *)b]);
}

/* The index of a key; `count` where nobody asked for it. */
static size_t many_find(const struct many *many, const char *key) {
  size_t low = 0, high = many->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(many->keys[many->sorted[middle]], key);
    if (order == 0)
      return many->sorted[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return many->count;
}

static bool on_deletion(void *arg, const struct xml_deletion *deletion) {
  struct many *many = arg;
  size_t index = many_find(many, deletion->key);
  if (index == many->count || many->states[index] != KEY_ASKED)
    return true;
  if (deletion->code[0] == '\0') {
    many->states[index] = KEY_GONE;
    return true;
  }
  struct s3_error_class class = s3_error_class(200, deletion->code, S3_KEY);
  if (class.status == SLUICE_ENOENT)
    many->states[index] = KEY_GONE;
  else if (!class.again)
    many_refuse(many, index, class.status);
  return true;
}

/* Some services that are like S3 have no such request. */
static bool is_unknown(const struct s3_answer *answer) {
  return answer->http == 501 || answer->http == 405 ||
         strcmp(answer->code, "NotImplemented") == 0 ||
         strcmp(answer->code, "MethodNotAllowed") == 0;
}

static void many_on_done(void *arg, struct s3_call *call,
                         const struct s3_answer *answer) {
  struct many *many = arg;
  struct sluice_op *op = many->op;
  (void)call;
  many->call = NULL;
  if (answer->status == SLUICE_OK || is_unknown(answer)) {
    many_go_on(many);
    return;
  }
  for (size_t i = 0; i < many->count; i++)
    if (many->states[i] == KEY_ASKED)
      many_refuse(many, i, answer->status);
  sluice_done(op, answer->status, "%s", answer->why);
  many_free(many);
}

/* Characters that XML 1.0 has no place for, and CR, which it changes. */
static bool fits_xml(const char *key) {
  while (*key != '\0') {
    uint32_t character = codec_utf8_next(&key);
    if (character < ' ' || character == 0xFFFE || character == 0xFFFF)
      return false;
  }
  return true;
}

static void add_text(struct buf *document, const char *text) {
  for (; *text != '\0'; text++)
    if (strchr("<>&\"'", *text) != NULL)
      buf_addf(document, "&#%d;", *text);
    else
      buf_addc(document, *text);
}

/* Not "quiet": only what the answer names is gone.  The number of keys. */
static size_t many_write_document(struct many *many) {
  struct buf *document = &many->document;
  size_t named = 0;
  buf_adds(document, "<Delete>");
  for (size_t i = 0; i < many->count; i++) {
    if (many->states[i] != KEY_ASKED || !fits_xml(many->keys[i]))
      continue;
    buf_adds(document, "<Object><Key>");
    add_text(document, many->keys[i]);
    buf_adds(document, "</Key></Object>");
    named++;
  }
  buf_adds(document, "</Delete>");
  return document->overflown ? 0 : named;
}

static void many_ask(struct many *many) {
  static const struct s3_events events = {.done = many_on_done};
  struct buf *document = &many->document;
  unsigned char md5[DIGEST_MD5_LEN], sha256[DIGEST_SHA256_LEN];
  digest_md5(md5, document->data, document->len);
  put_base64_md5(many->md5, md5);
  digest_sha256(sha256, document->data, document->len);
  codec_hex(many->sha256, sha256, sizeof sha256);
  many->xml = (struct xml_events){.deletion = on_deletion, .arg = many};
  many->request =
      (struct s3_request){.op = many->op,
                          .method = "POST",
                          .query = {{"delete", ""}},
                          .headers = {{"Content-Type", "application/xml"},
                                      {"Content-MD5", many->md5}},
                          .data = document->data,
                          .length = document->len,
                          .sha256 = many->sha256,
                          .expected = XML_DELETE,
                          .wants_xml = true,
                          .xml_events = &many->xml};
  many->call = s3_call_start(many->loop, &many->request, &events, many);
}

void s3_remove_many(void *handle, struct sluice_op *op,
                    const char *const *keys, size_t count) {
  struct many *many = calloc(1, sizeof *many);
  must_have(many); /* charged with the request */
  many->loop = handle;
  many->op = op;
  many->keys = keys;
  many->count = count;
  many->sorted = calloc(count, sizeof *many->sorted);
  many->states = calloc(count, sizeof *many->states);
  must_have(many->sorted && many->states);
  buf_init(&many->document, DOCUMENT_MAX);
  for (size_t i = 0; i < count; i++) {
    many->sorted[i] = i;
    many->states[i] = s3_is_no_key(many->loop, keys[i]) ? KEY_GONE : KEY_ASKED;
  }
  qsort_r(many->sorted, count, sizeof *many->sorted, by_key, many);
  *s3_task_of(op) = (struct s3_task){.cancel = many_cancel, .work = many};
  if (many_write_document(many) > 0)
    many_ask(many);
  else
    many_go_on(many);
}
