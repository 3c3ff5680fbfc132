/* SPDX-License-Identifier: MIT
 *
 * A list of several backends in one order.  Of each there is one page at a
 * time; the smallest of their keys comes next, from the first backend that has
 * it.  A token says which page each one was at, and the last key that was
 * told: what is read again is left out by its key, so that nothing is left out
 * or comes twice where objects came or went in between.
 */
#include "fallback.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wish.h"

#define TOKEN_MAX 4096

struct line { /* an entry of a page */
  char *key, *etag;
  bool folded;
  uint64_t length;
  int64_t mtime_ms;
};

struct page {
  struct line *lines;
  size_t count, at;
  size_t taken;
  char *from, *next; /* tokens; NULL: the start, the end */
  bool read;         /* `next` is known */
};

struct listing { /* of one list */
  const struct fallback_op *common;
  struct sluice_op *op;
  struct fallback_handle *handle;
  struct wish *wish;
  struct sluice_ask *ask;
  struct page pages[FALLBACK_MAX];
  size_t asked; /* the page that is read */
  uint32_t told;
  char *last; /* the last key that was told, NULL: none */
};

/* ---- pages -------------------------------------------------------------- */

static void page_free_lines(struct page *page, struct sluice_host *host) {
  for (size_t i = 0; page->lines != NULL && i < page->count; i++) {
    free(page->lines[i].key);
    free(page->lines[i].etag);
  }
  free(page->lines);
  page->lines = NULL;
  page->count = page->at = 0;
  sluice_memory_give(host, page->taken);
  page->taken = 0;
}

static void listing_end(struct listing *listing, enum sluice_status status,
                        const char *why) {
  struct sluice_op *op = listing->op;
  for (size_t i = 0; i < listing->handle->count; i++) {
    page_free_lines(&listing->pages[i], listing->handle->host);
    free(listing->pages[i].from);
    free(listing->pages[i].next);
  }
  wish_free(listing->wish, listing->handle->host);
  free(listing->last);
  free(listing);
  wish_end(op, status, why);
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

static bool add_line(struct page *page, const char *key,
                     const struct sluice_meta *meta) {
  struct line *line = &page->lines[page->count++];
  *line = (struct line){.key = strdup(key), .folded = meta == NULL};
  if (meta == NULL)
    return line->key != NULL;
  line->length = meta->length;
  line->mtime_ms = meta->mtime_ms;
  line->etag = meta->etag == NULL ? NULL : strdup(meta->etag);
  return line->key != NULL && (line->etag != NULL || meta->etag == NULL);
}

/* Keys that were told before are left out.  False: there is no memory. */
static bool take_page(struct listing *listing, struct page *page) {
  const struct sluice_meta *meta;
  const char *key;
  size_t count = 0, size = 0;
  for (; (key = sluice_ask_entry(listing->ask, count, &meta)) != NULL; count++)
    size += sizeof(struct line) + strlen(key) + 64 +
            (meta == NULL || meta->etag == NULL ? 0 : strlen(meta->etag));
  if (!sluice_memory_take(listing->handle->host, size))
    return false;
  page->taken = size;
  page->lines = calloc(count + 1, sizeof *page->lines);
  bool kept = page->lines != NULL;
  for (size_t i = 0; kept && i < count; i++) {
    key = sluice_ask_entry(listing->ask, i, &meta);
    if (listing->last == NULL || strcmp(key, listing->last) > 0)
      kept = add_line(page, key, meta);
  }
  const char *next = sluice_ask_token(listing->ask);
  page->next = next == NULL || !kept ? NULL : strdup(next);
  page->read = true;
  if (kept)
    qsort(page->lines, page->count, sizeof *page->lines, by_key);
  return kept && (next == NULL || page->next != NULL);
}

/* ---- tokens ------------------------------------------------------------- */

/* "12:..." is a text, "-" none. */
static bool put_text(char **at, const char *end, const char *text) {
  size_t room = (size_t)(end - *at);
  int len = text == NULL ? snprintf(*at, room, "-")
                         : snprintf(*at, room, "%zu:%s", strlen(text), text);
  if ((size_t)len >= room)
    return false;
  *at += len;
  return true;
}

/* A copy of the next one, NULL for "-"; false: it is none. */
static bool take_text(const char **at, char **text) {
  *text = NULL;
  if (**at == '-') {
    ++*at;
    return true;
  }
  char *end;
  if (**at < '0' || **at > '9')
    return false;
  unsigned long len = strtoul(*at, &end, 10);
  if (*end != ':' || len > TOKEN_MAX || strlen(end + 1) < len)
    return false;
  *text = strndup(end + 1, len);
  *at = end + 1 + len;
  return *text != NULL;
}

/* Where a page is read from next time, or 'e' for one that has ended. */
static bool make_token(const struct listing *listing, char *token) {
  char *at = token;
  const char *end = token + TOKEN_MAX;
  for (size_t i = 0; i < listing->handle->count; i++) {
    const struct page *page = &listing->pages[i];
    bool used = page->at == page->count && page->read;
    if (used && page->next == NULL) {
      if (at + 1 >= end)
        return false;
      *at++ = 'e';
    } else if (!put_text(&at, end, used ? page->next : page->from)) {
      return false;
    }
  }
  return put_text(&at, end, listing->last);
}

static bool read_token(struct listing *listing, const char *token) {
  for (size_t i = 0; i < listing->handle->count; i++) {
    struct page *page = &listing->pages[i];
    page->read = *token == 'e';
    if (page->read)
      token++;
    else if (!take_text(&token, &page->next))
      return false;
  }
  return take_text(&token, &listing->last) && *token == '\0';
}

/* ---- the merge ---------------------------------------------------------- */

static void merge(struct listing *listing);

static void on_page(void *arg, enum sluice_status status, const char *why) {
  struct listing *listing = arg;
  struct page *page = &listing->pages[listing->asked];
  if (listing->common->canceled)
    listing_end(listing, SLUICE_ECANCELED, NULL);
  else if (status != SLUICE_OK)
    listing_end(listing, status, why);
  else if (!take_page(listing, page))
    listing_end(listing, SLUICE_ENOMEM, "no memory is left for a page");
  else
    merge(listing);
}

static void read_page(struct listing *listing, size_t index) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_page};
  struct page *page = &listing->pages[index];
  struct sluice_list wanted = listing->wish->of.list;
  page_free_lines(page, listing->handle->host);
  free(page->from);
  page->from = page->next;
  page->next = NULL;
  wanted.token = page->from;
  listing->asked = index;
  listing->ask = sluice_ask_list(listing->handle->stores[index], listing->op,
                                 &wanted, &heard, listing);
}

/* The page that has to be read before it goes on. */
static bool find_empty(const struct listing *listing, size_t *index) {
  for (*index = 0; *index < listing->handle->count; ++*index) {
    const struct page *page = &listing->pages[*index];
    if (page->at == page->count && (!page->read || page->next != NULL))
      return true;
  }
  return false;
}

/* The first backend's, of equal ones; NULL: there is no more. */
static const struct line *smallest(const struct listing *listing) {
  const struct line *found = NULL;
  for (size_t i = 0; i < listing->handle->count; i++) {
    const struct page *page = &listing->pages[i];
    if (page->at < page->count &&
        (found == NULL || strcmp(page->lines[page->at].key, found->key) < 0))
      found = &page->lines[page->at];
  }
  return found;
}

/* False: there is no memory to remember it. */
static bool tell(struct listing *listing, const struct line *line) {
  struct sluice_meta meta = SLUICE_META;
  char *last = strdup(line->key);
  if (last == NULL)
    return false;
  free(listing->last);
  listing->last = last;
  listing->told++;
  meta.length = line->length;
  meta.mtime_ms = line->mtime_ms;
  meta.etag = line->etag;
  if (line->folded)
    sluice_prefix(listing->op, last);
  else
    sluice_entry(listing->op, last, &meta);
  for (size_t i = 0; i < listing->handle->count; i++) {
    struct page *page = &listing->pages[i];
    while (page->at < page->count &&
           strcmp(page->lines[page->at].key, last) == 0)
      page->at++;
  }
  return true;
}

static void end_of_page(struct listing *listing) {
  char token[TOKEN_MAX + 1];
  size_t index;
  bool more = smallest(listing) != NULL || find_empty(listing, &index);
  if (more && !make_token(listing, token)) {
    listing_end(listing, SLUICE_EIO,
                "the tokens of the backends' lists are longer than 4 KiB");
    return;
  }
  if (more)
    sluice_truncated(listing->op, token);
  listing_end(listing, SLUICE_OK, NULL);
}

static void merge(struct listing *listing) {
  for (;;) {
    size_t index;
    if (listing->told == listing->wish->of.list.max)
      break;
    if (find_empty(listing, &index)) {
      read_page(listing, index);
      return;
    }
    const struct line *line = smallest(listing);
    if (line == NULL)
      break;
    if (!tell(listing, line)) {
      listing_end(listing, SLUICE_ENOMEM, "no memory is left for a key");
      return;
    }
  }
  end_of_page(listing);
}

void fallback_list(void *handle, struct sluice_op *op,
                   const struct sluice_list *list) {
  struct listing *listing = calloc(1, sizeof *listing);
  if (listing == NULL) {
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a list");
    return;
  }
  listing->common = sluice_op_state(op, FALLBACK_STATE);
  listing->op = op;
  listing->handle = handle;
  listing->wish =
      wish_keep(&(struct wish){.kind = WISH_LIST, .of.list = *list},
                listing->handle->host);
  if (listing->wish == NULL)
    listing_end(listing, SLUICE_ENOMEM, "no memory is left for a list");
  else if (list->token != NULL && !read_token(listing, list->token))
    listing_end(listing, SLUICE_EINVAL, "no token of this list");
  else
    merge(listing);
}
