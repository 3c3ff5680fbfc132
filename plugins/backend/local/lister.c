/* SPDX-License-Identifier: MIT
 *
 * A page is scanned on the pool's thread and told on the loop.  A token is
 * the last thing of its page: "k" and a key, or "p" and a folded prefix.
 */
#include "lister.h"

#include "codec.h"
#include "index.h"
#include "local.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 1000
#define TEXT_MAX ((size_t)4096)     /* of a prefix, delimiter or token */
#define NAMES_MAX ((size_t)4 << 20) /* bytes of a page's keys */

struct listed {
  size_t name; /* in `names` */
  bool folded;
  uint64_t length; /* of an object, as what follows */
  int64_t mtime_ms;
  unsigned char md5[DIGEST_MD5_LEN];
};

struct listing {
  char *prefix, *delimiter; /* delimiter: NULL or not empty */
  struct buf start, end;    /* the scan's: keys in [start, end) */
  struct buf names;         /* of what was listed, each with its NUL */
  size_t max, count;
  bool more;
  struct listed listed[]; /* max of them */
};

static const struct index_sql statements[] = {
    {offsetof(struct lister, begin), "BEGIN"},
    {offsetof(struct lister, end), "COMMIT"},
    {offsetof(struct lister, scan),
     "SELECT " ROW_SHOWN " FROM object"
     " WHERE key >= ?1 AND key < ?2 ORDER BY key"},
    {0, NULL}};

void listing_free(struct listing *listing) {
  if (!listing)
    return;
  free(listing->prefix);
  free(listing->delimiter);
  buf_fini(&listing->start);
  buf_fini(&listing->end);
  buf_fini(&listing->names);
  free(listing);
}

/* The first text that is after all that begin with this one.  0xFF, which
 * UTF-8 hasn't, is after every key. */
static void set_after(struct buf *out, const char *prefix, size_t len) {
  buf_clear(out);
  while (len > 0 && (unsigned char)prefix[len - 1] == 0xff)
    len--;
  if (len == 0) {
    buf_addc(out, '\xff');
    return;
  }
  buf_add(out, prefix, len - 1);
  buf_addc(out, (char)((unsigned char)prefix[len - 1] + 1));
}

/* Sets the key to start at; false for a token that isn't one of this list. */
static bool set_start(struct listing *listing, const char *token) {
  size_t prefix = strlen(listing->prefix);
  if (!token)
    return buf_add(&listing->start, listing->prefix, prefix);
  if ((*token != 'k' && *token != 'p') ||
      strncmp(token + 1, listing->prefix, prefix) != 0)
    return false;
  if (*token == 'p')
    set_after(&listing->start, token + 1, strlen(token + 1));
  else /* a key and a NUL is the next possible key */
    buf_add(&listing->start, token + 1, strlen(token + 1) + 1);
  return true;
}

static struct listing *listing_new(const struct sluice_list *list) {
  struct listing *listing =
      calloc(1, sizeof *listing + list->max * sizeof *listing->listed);
  if (!listing)
    return NULL;
  listing->max = list->max;
  buf_init(&listing->start, TEXT_MAX + 1);
  buf_init(&listing->end, TEXT_MAX + 1);
  buf_init(&listing->names, NAMES_MAX);
  listing->prefix = strdup(list->prefix);
  bool ok = listing->prefix;
  if (ok && list->delimiter && *list->delimiter) {
    listing->delimiter = strdup(list->delimiter);
    ok = listing->delimiter;
  }
  if (ok)
    return listing;
  listing_free(listing);
  return NULL;
}

/* The length of what the key folds to; 0: it doesn't. */
static size_t folded_len(const struct listing *listing, const char *key,
                         size_t len) {
  size_t prefix = strlen(listing->prefix);
  if (!listing->delimiter || len < prefix)
    return 0;
  size_t delimiter = strlen(listing->delimiter);
  const char *at =
      memmem(key + prefix, len - prefix, listing->delimiter, delimiter);
  return at ? (size_t)(at - key) + delimiter : 0;
}

static bool lister_add(struct listing *listing, const char *name, size_t len,
                       bool folded) {
  struct listed *listed = &listing->listed[listing->count];
  listed->name = listing->names.len;
  listed->folded = folded;
  listing->count++;
  return buf_add(&listing->names, name, len) &&
         buf_addc(&listing->names, '\0');
}

static bool lister_load(struct listed *listed, sqlite3_stmt *scan) {
  struct row_fields row;
  if (!row_read_shown(&row, scan))
    return false;
  listed->length = row.length;
  listed->mtime_ms = (int64_t)row.mtime;
  memcpy(listed->md5, row.md5, DIGEST_MD5_LEN);
  return true;
}

static void rewind_to_start(struct listing *listing, sqlite3_stmt *scan) {
  index_reset(scan);
  index_bind(scan, 1, listing->start.data, listing->start.len);
  index_bind(scan, 2, listing->end.data, listing->end.len);
}

/* Takes the row at hand.  True while the scan goes on. */
static bool lister_take(struct task *task, sqlite3_stmt *scan) {
  struct listing *listing = task->listing;
  const char *key = sqlite3_column_blob(scan, 0);
  size_t len = (size_t)sqlite3_column_bytes(scan, 0);
  if (row_shown_is_over(scan)) /* it isn't there any more */
    return true;
  if (listing->count == listing->max) {
    listing->more = true;
    return false;
  }
  size_t folded = folded_len(listing, key, len);
  if (!lister_add(listing, key, folded ? folded : len, folded > 0)) {
    task->status = SLUICE_ENOMEM;
    return false;
  }
  if (folded) {
    set_after(&listing->start, key, folded);
    rewind_to_start(listing, scan);
  } else if (!lister_load(&listing->listed[listing->count - 1], scan)) {
    task_fail_damaged(task, "its row in the index isn't what was written", key,
                      len);
    return false;
  }
  return true;
}

static void scan_page(struct lister *lister, struct task *task) {
  bool begun = index_run(lister->begin);
  int result;
  rewind_to_start(task->listing, lister->scan);
  while ((result = index_step(lister->scan)) == SQLITE_ROW &&
         lister_take(task, lister->scan))
    ;
  if (result != SQLITE_ROW && result != SQLITE_DONE)
    task_fail_index(task, lister->db);
  index_reset(lister->scan);
  if (begun)
    index_run(lister->end);
}

static void lister_run(void *arg, void **jobs, size_t count) {
  for (size_t i = 0; i < count; i++)
    scan_page(arg, jobs[i]);
}

/* ---- on the loop ---- */

static void lister_tell(struct sluice_op *op, const struct listed *listed,
                        const char *name) {
  char etag[2 * DIGEST_MD5_LEN + 1];
  if (listed->folded) {
    sluice_prefix(op, name);
    return;
  }
  struct sluice_meta meta = SLUICE_META;
  codec_hex(etag, listed->md5, DIGEST_MD5_LEN);
  meta.length = listed->length;
  meta.mtime_ms = listed->mtime_ms;
  meta.etag = etag;
  sluice_entry(op, name, &meta);
}

static void tell_more(struct task *task) {
  struct listing *listing = task->listing;
  const struct listed *last = &listing->listed[listing->count - 1];
  struct buf token;
  buf_init(&token, TEXT_MAX);
  if (buf_addc(&token, last->folded ? 'p' : 'k') &&
      buf_adds(&token, listing->names.data + last->name))
    sluice_truncated(task->op, token.data);
  else
    task->status = SLUICE_ENOMEM;
  buf_fini(&token);
}

static void scanned(void *arg) {
  struct task *task = arg;
  struct listing *listing = task->listing;
  bool well = task_is_back(task);
  for (size_t i = 0; well && i < listing->count; i++)
    lister_tell(task->op, &listing->listed[i],
                listing->names.data + listing->listed[i].name);
  if (well && listing->more)
    tell_more(task);
  task_end(task);
}

void lister_list(void *arg, struct sluice_op *op,
                 const struct sluice_list *list) {
  struct local_handle *handle = arg;
  struct task *task = task_start(handle, op, TASK_LIST);
  if (list->max < 1 || list->max > PAGE_MAX)
    task_fail(task, SLUICE_EINVAL, "a page has 1..%d entries", PAGE_MAX);
  else if (!(task->listing = listing_new(list)))
    task->status = SLUICE_ENOMEM;
  else if (!set_start(task->listing, list->token))
    task_fail(task, SLUICE_EINVAL, "the token isn't one of this list");
  else
    set_after(&task->listing->end, list->prefix, strlen(list->prefix));
  if (task->status == SLUICE_OK &&
      (task->listing->start.overflown || task->listing->end.overflown))
    task_fail(task, SLUICE_EINVAL, "the prefix or token is too long");
  if (task->status == SLUICE_OK)
    task_lane(task, handle->lister.lane, scanned);
  else
    task_end(task);
}

bool lister_open(struct local_handle *handle, struct errmsg *err) {
  struct lister *lister = &handle->lister;
  lister->db = index_open_reader(handle->local->datadir.path,
                                 shm_vfs(&handle->local->share.shm), err);
  if (!lister->db)
    return false;
  if (!index_prepare(lister->db, statements, lister)) {
    index_fault(lister->db, err);
    return false;
  }
  lister->lane = sluice_lane_new(handle->host, lister_run, lister);
  return lister->lane || errmsg_set(err, "no memory is left");
}

void lister_close(struct local_handle *handle) {
  if (handle->lister.lane)
    sluice_lane_free(handle->lister.lane);
  index_close(handle->lister.db);
}
