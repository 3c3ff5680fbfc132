/* SPDX-License-Identifier: MIT
 *
 * A page of ListObjectsV2.  A service may give short pages, even empty ones
 * that aren't the last: those are passed over.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "task.h"

#define EMPTY_PAGES 16 /* in a row, before it counts as broken */

struct list {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call;
  struct s3_request request;
  struct xml_events xml;
  char *prefix, *delimiter, *token;
  char max_keys[16];
  unsigned max, found, before, empty;
};

static void list_free(struct list *list) {
  free(list->prefix);
  free(list->delimiter);
  free(list->token);
  free(list);
}

static void list_cancel(void *work) {
  struct list *list = work;
  struct sluice_op *op = list->op;
  s3_call_cancel(list->call);
  list_free(list);
  sluice_done(op, SLUICE_ECANCELED, NULL);
}

static bool on_object(void *arg, const struct xml_object *object) {
  struct list *list = arg;
  struct sluice_meta meta = SLUICE_META;
  meta.length = object->size;
  meta.mtime_ms = object->mtime_ms;
  meta.etag = object->etag;
  sluice_entry(list->op, object->key, &meta);
  list->found++;
  return true;
}

static bool on_prefix(void *arg, const char *prefix) {
  struct list *list = arg;
  sluice_prefix(list->op, prefix);
  list->found++;
  return true;
}

static void next_page(struct list *list);

static char *copy(const char *text) {
  char *made = text == NULL ? NULL : strdup(text);
  assert(text == NULL || made != NULL); /* charged with the request */
  return made;
}

static void on_done(void *arg, struct s3_call *call,
                    const struct s3_answer *answer) {
  struct list *list = arg;
  struct sluice_op *op = list->op;
  (void)call;
  if (answer->status != SLUICE_OK) {
    sluice_done(op, answer->status, "%s", answer->why);
    list_free(list);
    return;
  }
  const char *token = answer->xml->truncated ? answer->xml->next_token : NULL;
  bool more = token != NULL && token[0] != '\0';
  list->empty = list->found == list->before ? list->empty + 1 : 0;
  list->before = list->found;
  if (more && list->found < list->max && list->empty < EMPTY_PAGES) {
    free(list->token);
    list->token = copy(token);
    next_page(list);
    return;
  }
  if (more)
    sluice_truncated(op, token);
  sluice_done(op, SLUICE_OK, NULL);
  list_free(list);
}

static void next_page(struct list *list) {
  static const struct s3_events events = {.done = on_done};
  struct s3_request *request = &list->request;
  struct sigv4_pair *query = request->query;
  *request = (struct s3_request){.method = "GET",
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
  if (list->token != NULL)
    *query = (struct sigv4_pair){"continuation-token", list->token};
  list->call = s3_call_start(list->loop, request, &events, list);
}

void s3_list(void *handle, struct sluice_op *op,
             const struct sluice_list *wanted) {
  struct list *list = calloc(1, sizeof *list);
  assert(list != NULL); /* charged with the request */
  list->loop = handle;
  list->op = op;
  list->prefix = copy(wanted->prefix);
  list->delimiter = copy(wanted->delimiter);
  list->token = copy(wanted->token);
  list->xml = (struct xml_events){
      .object = on_object, .prefix = on_prefix, .arg = list};
  list->max = wanted->max;
  *s3_task_of(op) = (struct s3_task){list_cancel, list};
  next_page(list);
}
