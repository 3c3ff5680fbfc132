/* SPDX-License-Identifier: MIT
 *
 * A file of users.  One bad line refuses the whole: who left it out would
 * wonder why somebody can't come in, and who took it as it is, why anybody
 * can.
 */
#include "htpasswd.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "hash.h"

struct reading {
  const char *file;
  struct errmsg *err;
  unsigned line;
  struct htpasswd *made;
  size_t room;
};

static bool fault(const struct reading *r, const char *why) {
  return errmsg_set(r->err, "%.200s:%u: %s", r->file, r->line, why);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static const char *name_fault(const char *name, size_t len) {
  if (len == 0)
    return "there is no name before the colon; write name:hash";
  if (is_blank(name[len - 1]))
    return "there is a blank between the name and the colon; remove it";
  if (len > HTPASSWD_NAME_MAX)
    return "a name is longer than 256 bytes; shorten it";
  if (!codec_utf8_valid(name, len))
    return "a name isn't UTF-8; write it so";
  for (const char *at = name; at < name + len;)
    if (codec_control(codec_utf8_next(&at)))
      return "a name has a control character; remove it";
  return NULL;
}

static struct htpasswd_user *add_user(struct reading *r) {
  struct htpasswd *made = r->made;
  if (made->count == HTPASSWD_USERS_MAX) {
    fault(r, "more than 10000 users; keep them elsewhere");
    return NULL;
  }
  if (made->count == r->room) {
    size_t room = r->room == 0 ? 16 : r->room * 2;
    struct htpasswd_user *users = realloc(made->users, room * sizeof *users);
    if (users == NULL) {
      fault(r, "out of memory");
      return NULL;
    }
    made->users = users;
    r->room = room;
  }
  struct htpasswd_user *user = &made->users[made->count++];
  *user = (struct htpasswd_user){.line = r->line};
  return user;
}

static bool read_line(struct reading *r, const char *line, size_t len) {
  char hash[HASH_MAX + 1];
  const char *colon = memchr(line, ':', len);
  if (memchr(line, '\0', len) != NULL)
    return fault(r, "there is a NUL; is it a text file?");
  if (len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0)
    return fault(r, "there is a byte order mark before the name; save the "
                    "file as UTF-8 without one");
  if (line[len - 1] == '\r')
    return fault(r, "the line ends in CR; save the file with LF alone");
  if (is_blank(line[0]))
    return fault(r, "the line begins with a blank; remove it");
  if (colon == NULL)
    return fault(r, "there is no colon; write name:hash");
  size_t name = (size_t)(colon - line), rest = len - name - 1;
  const char *why = name_fault(line, name);
  if (why != NULL)
    return fault(r, why);
  if (rest > HASH_MAX)
    return fault(r, "no hash is that long; write name:hash");
  memcpy(hash, colon + 1, rest);
  hash[rest] = '\0';
  why = hash_fault(hash);
  if (why != NULL)
    return fault(r, why);
  struct htpasswd_user *user = add_user(r);
  if (user == NULL)
    return false;
  user->name = strndup(line, name);
  user->hash = strdup(hash);
  return (user->name != NULL && user->hash != NULL) ||
         fault(r, "out of memory");
}

static int by_name(const void *a, const void *b) {
  const struct htpasswd_user *x = a, *y = b;
  return strcmp(x->name, y->name);
}

static bool htpasswd_sort(struct reading *r) {
  const struct htpasswd *made = r->made;
  if (made->count > 0)
    qsort(made->users, made->count, sizeof *made->users, by_name);
  for (size_t i = 1; i < made->count; i++) {
    unsigned one = made->users[i - 1].line, other = made->users[i].line;
    if (by_name(&made->users[i - 1], &made->users[i]) != 0)
      continue;
    return errmsg_set(r->err,
                      "%.200s:%u: '%.64s' is in line %u already; remove one",
                      r->file, one > other ? one : other, made->users[i].name,
                      one < other ? one : other);
  }
  return true;
}

static bool htpasswd_read_all(struct reading *r, const char *data,
                              size_t len) {
  const char *end = data + len;
  for (r->line = 1; data < end; r->line++) {
    const char *eol = memchr(data, '\n', (size_t)(end - data));
    size_t size = (size_t)((eol == NULL ? end : eol) - data);
    if (size > 0 && *data != '#' && !read_line(r, data, size))
      return false;
    data = eol == NULL ? end : eol + 1;
  }
  return htpasswd_sort(r);
}

struct htpasswd *htpasswd_parse(const char *file, const char *data, size_t len,
                                struct errmsg *err) {
  struct reading r = {
      .file = file, .err = err, .line = 1, .made = calloc(1, sizeof *r.made)};
  if (r.made == NULL)
    fault(&r, "out of memory");
  else if (htpasswd_read_all(&r, data, len))
    return r.made;
  htpasswd_free(r.made);
  return NULL;
}

void htpasswd_free(struct htpasswd *made) {
  if (made == NULL)
    return;
  for (size_t i = 0; i < made->count; i++) {
    if (made->users[i].hash != NULL)
      digest_wipe(made->users[i].hash, strlen(made->users[i].hash));
    free(made->users[i].hash);
    free(made->users[i].name);
  }
  free(made->users);
  free(made);
}

const struct htpasswd_user *htpasswd_find(const struct htpasswd *made,
                                          const char *name) {
  const struct htpasswd_user wanted = {.name = (char *)name};
  if (made->count == 0)
    return NULL;
  return bsearch(&wanted, made->users, made->count, sizeof *made->users,
                 by_name);
}
