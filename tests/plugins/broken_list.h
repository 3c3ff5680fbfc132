/* SPDX-License-Identifier: MIT
 *
 * Lists of the broken backend.
 */
#ifndef TESTS_PLUGINS_BROKEN_LIST_H
#define TESTS_PLUGINS_BROKEN_LIST_H

#include "broken.h"

#include <signal.h>
#include <sluice/plugin.h>

static inline bool begins(const struct handle *handle, const char *key,
                          const char *prefix) {
  bool pattern = breaks(handle, "pattern");
  for (; *prefix != '\0'; key++, prefix++)
    if (*key != *prefix && !(pattern && *prefix == '_' && *key != '\0'))
      return false;
  return true;
}

/* The length of the name that a key is folded to; 0: it isn't. */
static inline size_t fold(const char *key, const struct sluice_list *list) {
  const char *at = list->delimiter == NULL
                       ? NULL
                       : strstr(key + strlen(list->prefix), list->delimiter);
  return at == NULL ? 0 : (size_t)(at - key) + strlen(list->delimiter);
}

static inline bool ends(const char *text, const char *with) {
  size_t len = strlen(text), tail = strlen(with);
  return len >= tail && strcmp(text + len - tail, with) == 0;
}

/* Behind the token, and not below it where that is a folded prefix. */
static inline bool is_new(const char *key, const char *last, size_t folded) {
  if (last == NULL)
    return true;
  return strcmp(key, last) > 0 &&
         !(folded > 0 && strncmp(key, last, folded) == 0 &&
           last[folded] == '\0');
}

static inline const char *start_of(struct handle *handle,
                                   const struct sluice_list *list) {
  const char *token = list->token;
  if (token != NULL && list->max == 5 && ends(token, "/A") &&
      breaks(handle, "ignores_token"))
    return NULL;
  if (token != NULL && breaks(handle, "forged_token") &&
      strncmp(token, list->prefix, strlen(list->prefix)) != 0)
    raise(SIGSEGV);
  if (token != NULL && list->delimiter == NULL &&
      breaks(handle, "token_object")) {
    struct box *box = boxes_find(handle->boxes, token);
    box_drop(handle->boxes, box);
    return box == NULL ? NULL : token;
  }
  return token;
}

static inline void tell(struct call *call, const struct box *box,
                        size_t folded) {
  struct sluice_meta meta = told(call->handle, box);
  char *name = strdup(box->key);
  if (folded > 0)
    name[folded] = '\0';
  if (folded > 0 && !breaks(call->handle, "folded_entry"))
    sluice_prefix(call->op, name);
  else
    sluice_entry(call->op, name, &meta);
  free(name);
}

static inline void list(void *arg, struct sluice_op *op,
                        const struct sluice_list *list) {
  struct call *call = call_new(arg, op);
  struct handle *handle = arg;
  if (fails(call, list->prefix))
    return;
  struct sluice_list how = *list;
  char *last = box_text(start_of(handle, list));
  uint32_t count = 0;
  bool whole = breaks(handle, "unordered") && list->max == 1000 &&
               list->token == NULL && list->delimiter == NULL;
  if (breaks(handle, "unfolded") && ends(list->prefix, "b"))
    how.delimiter = NULL;
  pthread_mutex_lock(&handle->boxes->lock);
  const struct box *box = handle->boxes->first;
  for (; box != NULL; box = box->next) {
    if (!begins(handle, box->key, list->prefix))
      continue;
    size_t folded = fold(box->key, &how);
    if (!is_new(box->key, last, folded))
      continue;
    if (count == list->max)
      break;
    if (whole && count == 0 && ends(box->key, "/A") && box->next != NULL) {
      tell(call, box->next, 0);
      tell(call, box, 0);
      box = box->next;
      count++;
    } else {
      tell(call, box, folded);
    }
    free(last);
    last = strdup(box->key);
    if (folded > 0)
      last[folded] = '\0';
    count++;
  }
  pthread_mutex_unlock(&handle->boxes->lock);
  if (count == list->max && (box != NULL || breaks(handle, "token_at_end")))
    sluice_truncated(op, last);
  free(last);
  end(call, SLUICE_OK);
}

#endif
