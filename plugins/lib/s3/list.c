/* SPDX-License-Identifier: MIT
 *
 * A page of ListObjectsV2.  A service may give short pages, even empty ones
 * that aren't the last: those are passed over.
 *
 * The token that the gateway keeps to go on has a letter before it: 't', the
 * service's token, or, where that can't be read or kept, what came last: 'k',
 * a key, or 'p', a prefix that stands for all below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "task.h"

#define EMPTY_PAGES 16 /* in a row, before it counts as broken */
#define NEXT_MAX 4096  /* bytes that the gateway keeps */
#define BEHIND_ALL "\xF4\x8F\xBF\xBF" /* U+10FFFF, the last there is */

struct list {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call;
  struct s3_request request;
  struct xml_events xml;
  char *prefix, *delimiter;
  struct buf next; /* with its letter; empty: at the beginning */
  struct buf last; /* of this page, with its letter */
  struct buf after;
  char max_keys[16];
  unsigned max, found, before, empty;
};

static void list_free(struct list *list) {
  free(list->prefix);
  free(list->delimiter);
  buf_fini(&list->next);
  buf_fini(&list->last);
  buf_fini(&list->after);
  free(list);
}

static void list_cancel(void *work) {
  struct list *list = work;
  struct sluice_op *op = list->op;
  s3_call_cancel(list->call);
  list_free(list);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

/* In byte order, whether objects or prefixes come first in the answer. */
static void keep_last(struct list *list, char kind, const char *name) {
  if (list->last.len > 0 && strcmp(list->last.data + 1, name) >= 0)
    return;
  buf_clear(&list->last);
  buf_addc(&list->last, kind);
  buf_adds(&list->last, name);
}

static bool on_object(void *arg, const struct xml_object *object) {
  struct list *list = arg;
  struct sluice_meta meta = SLUICE_META;
  meta.length = object->size;
  meta.mtime_ms = object->mtime_ms;
  meta.etag = object->etag;
  sluice_entry(list->op, object->key, &meta);
  keep_last(list, 'k', object->key);
  list->found++;
  return true;
}

static bool on_prefix(void *arg, const char *prefix) {
  struct list *list = arg;
  sluice_prefix(list->op, prefix);
  keep_last(list, 'p', prefix);
  list->found++;
  return true;
}

static void list_next_page(struct list *list);

static char *list_copy(const char *text) {
  char *made = text == NULL ? NULL : strdup(text);
  must_have(text == NULL || made != NULL); /* charged with the request */
  return made;
}

/* Keeps how to go on after a page that isn't the last: a page without entries
 * whose token can't be read is asked for again.  False: nobody can say. */
static bool list_keep_next(struct list *list, const struct xml_result *page) {
  const char *token = page->next_token;
  bool readable = token[0] != '\0' && strlen(token) < NEXT_MAX;
  if (!readable && list->last.len == 0)
    return list->next.len > 0;
  buf_clear(&list->next);
  return readable ? buf_addf(&list->next, "t%s", token)
                  : buf_adds(&list->next, list->last.data);
}

/* The next page begins after the entry that came last. */
static void write_after(struct list *list, const char *name, char kind) {
  buf_clear(&list->after);
  buf_addf(&list->after, "%s%s", name, kind == 'p' ? BEHIND_ALL : "");
}

static void list_on_done(void *arg, struct s3_call *call,
                         const struct s3_answer *answer) {
  struct list *list = arg;
  struct sluice_op *op = list->op;
  (void)call;
  if (answer->status != SLUICE_OK) {
    sluice_done(op, answer->status, "%s", answer->why);
    list_free(list);
    return;
  }
  const struct xml_result *page = answer->xml;
  /* Without a token an empty page is the last, whatever it says. */
  bool more =
      page->truncated && (page->next_token[0] != '\0' ||
                          page->token_unreadable || list->last.len > 0);
  if (more && !list_keep_next(list, page)) {
    sluice_done(op, SLUICE_EUPSTREAM,
                "the service's token for the next page can't be read");
    list_free(list);
    return;
  }
  list->empty = list->found == list->before ? list->empty + 1 : 0;
  list->before = list->found;
  if (more && list->found < list->max && list->empty < EMPTY_PAGES) {
    list_next_page(list);
    return;
  }
  if (more)
    sluice_truncated(op, list->next.data);
  sluice_done(op, SLUICE_OK, NULL);
  list_free(list);
}

static void list_next_page(struct list *list) {
  static const struct s3_events events = {.done = list_on_done};
  struct s3_request *request = &list->request;
  struct sigv4_pair *query = request->query;
  *request = (struct s3_request){.behind = list->op,
                                 .method = "GET",
                                 .expected = XML_LIST,
                                 .wants_xml = true,
                                 .xml_events = &list->xml};
  *query++ = (struct sigv4_pair){"list-type", "2"};
  *query++ = (struct sigv4_pair){"encoding-type", "url"};
  snprintf(list->max_keys, sizeof list->max_keys, "%u",
           list->max - list->found);
  *query++ = (struct sigv4_pair){"max-keys", list->max_keys};
  *query++ = (struct sigv4_pair){"prefix", list->prefix};
  if (list->delimiter != NULL)
    *query++ = (struct sigv4_pair){"delimiter", list->delimiter};
  const char *next = list->next.len > 0 ? list->next.data : NULL;
  if (next != NULL && next[0] != 't')
    write_after(list, next + 1, next[0]);
  if (next != NULL && next[0] == 't')
    *query = (struct sigv4_pair){"continuation-token", next + 1};
  else if (next != NULL)
    *query = (struct sigv4_pair){"start-after", list->after.data};
  buf_clear(&list->last);
  list->call = s3_call_start(list->loop, request, &events, list);
}

void s3_list(void *handle, struct sluice_op *op,
             const struct sluice_list *wanted) {
  const char *next = wanted->token;
  if (next != NULL && (next[0] == '\0' || strchr("tkp", next[0]) == NULL)) {
    sluice_done(op, SLUICE_EINVAL, "a cursor of another version");
    return;
  }
  struct list *list = calloc(1, sizeof *list);
  must_have(list); /* charged with the request */
  buf_init(&list->next, NEXT_MAX);
  buf_init(&list->last, XML_TEXT_MAX + 1);
  buf_init(&list->after, XML_TEXT_MAX + sizeof BEHIND_ALL);
  buf_adds(&list->next, next == NULL ? "" : next);
  list->loop = handle;
  list->op = op;
  list->prefix = list_copy(wanted->prefix);
  list->delimiter = list_copy(wanted->delimiter);
  list->xml = (struct xml_events){
      .object = on_object, .prefix = on_prefix, .arg = list};
  list->max = wanted->max;
  *s3_task_of(op) = (struct s3_task){.cancel = list_cancel, .work = list};
  list_next_page(list);
}
