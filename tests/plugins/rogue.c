/* SPDX-License-Identifier: MIT
 *
 * A backend for tests that breaks one rule of the contract, which its option
 * `how` names.  Whatever the key is, there is an object of 200 000 zeros; what
 * is put is thrown away.
 */
#include <event2/event.h>
#include <sluice/plugin.h>
#include <string.h>

#define LENGTH 200000u
#define PIECE 100000u
#define ALIVE_TIMES 8

enum how {
  WELL,         /* it keeps the contract */
  NEVER,        /* no answer, not even when it is canceled */
  SILENT,       /* no answer before it is canceled */
  LATE,         /* the answer comes after `delay`, and nothing before */
  ALIVE,        /* the same, but until then it says that it is alive */
  TWICE,        /* done, and done again in the same call */
  TWICE_LATER,  /* the second one after `delay` */
  HALF,         /* one chunk, then silence */
  GARBAGE_META, /* texts that are none */
  HUGE_META,    /* 65 pairs */
  META_TWICE,
  GARBAGE_LIST, /* keys and an ETag that aren't UTF-8 */
  TOO_MANY,     /* one entry more than was asked for */
  SHORT_LENGTH, /* of a download: fewer bytes than were asked for */
  LONG_LENGTH,  /* more */
  NO_LENGTH,    /* an empty chunk */
  NO_END,       /* of a download, before it is canceled */
  UNASKED_SEND, /* before read() */
  UNASKED_NEXT, /* twice for one chunk */
  DONE_WHILE_LENT,
  DONE_EARLY,  /* well, before anything was said or committed */
  BAD_STATUS,  /* 99 */
  BAD_TEXT,    /* a link that isn't UTF-8 */
  HUGE_STATE,  /* 1 MiB */
  OTHER_STATE, /* of another size each time */
  WRONG_THREAD /* done from a thread of the pool */
};

static const char *const names[] = {[WELL] = "well",
                                    [NEVER] = "never",
                                    [SILENT] = "silent",
                                    [LATE] = "late",
                                    [ALIVE] = "alive",
                                    [TWICE] = "twice",
                                    [TWICE_LATER] = "twice_later",
                                    [HALF] = "half",
                                    [GARBAGE_META] = "garbage_meta",
                                    [HUGE_META] = "huge_meta",
                                    [META_TWICE] = "meta_twice",
                                    [GARBAGE_LIST] = "garbage_list",
                                    [TOO_MANY] = "too_many",
                                    [SHORT_LENGTH] = "short_length",
                                    [LONG_LENGTH] = "long_length",
                                    [NO_LENGTH] = "no_length",
                                    [NO_END] = "no_end",
                                    [UNASKED_SEND] = "unasked_send",
                                    [UNASKED_NEXT] = "unasked_next",
                                    [DONE_WHILE_LENT] = "done_while_lent",
                                    [DONE_EARLY] = "done_early",
                                    [BAD_STATUS] = "bad_status",
                                    [BAD_TEXT] = "bad_text",
                                    [HUGE_STATE] = "huge_state",
                                    [OTHER_STATE] = "other_state",
                                    [WRONG_THREAD] = "wrong_thread"};

struct rogue_conf {
  const char *how;
  int64_t delay;
};

struct rogue { /* the handle, of which there is one: use one worker */
  const struct rogue_conf *conf;
  enum how how;
  struct sluice_host *host;
};

struct rogue_op {
  struct sluice_op *op;
  struct rogue *rogue;
  uint64_t left;
  int alive; /* how often it said so, and once more */
};

static const char zeros[LENGTH + 1];

static const struct sluice_option options[] = {
    {"how", SLUICE_STRING, NULL, offsetof(struct rogue_conf, how),
     "the rule that is broken"},
    {"delay", SLUICE_TIME, "600ms", offsetof(struct rogue_conf, delay),
     "how late the late ones are"},
    {NULL, 0, NULL, 0, NULL}};

/* ---- life --------------------------------------------------------------- */

static void *start(const void *conf, struct sluice_host *host) {
  const struct rogue_conf *mine = conf;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], mine->how) == 0)
      return (void *)(uintptr_t)conf;
  sluice_fail(host, "how: '%s' is no rule; see rogue.c", mine->how);
  return NULL;
}

static void stop(void *instance) {
  (void)instance;
}

static struct rogue rogues[32];
static unsigned rogue_count;

static void *open_rogue(void *instance, struct sluice_host *host) {
  struct rogue *rogue = &rogues[rogue_count++ % 32];
  *rogue = (struct rogue){.conf = instance, .host = host};
  while (strcmp(names[rogue->how], rogue->conf->how) != 0)
    rogue->how++;
  return rogue;
}

/* ---- answers ------------------------------------------------------------ */

static void *state(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct rogue_op));
}

static void say_done(void *op) {
  sluice_done(op, SLUICE_OK, NULL);
}

static void on_time(evutil_socket_t fd, short what, void *op) {
  (void)fd, (void)what;
  say_done(op);
}

static void done_later(const struct rogue *rogue, struct sluice_op *op) {
  const struct timeval delay = {rogue->conf->delay / 1000,
                                rogue->conf->delay % 1000 * 1000};
  event_base_once(sluice_loop(rogue->host), -1, EV_TIMEOUT, on_time, op,
                  &delay);
}

static void alive_later(struct rogue_op *mine);

static void on_alive(evutil_socket_t fd, short what, void *arg) {
  struct rogue_op *mine = arg;
  (void)fd, (void)what;
  if (mine->alive == ALIVE_TIMES) {
    sluice_done(mine->op, SLUICE_OK, NULL);
    return;
  }
  sluice_alive(mine->op);
  alive_later(mine);
}

static void alive_later(struct rogue_op *mine) {
  int64_t ms = mine->rogue->conf->delay / ALIVE_TIMES;
  const struct timeval pause = {ms / 1000, ms % 1000 * 1000};
  mine->alive++;
  event_base_once(sluice_loop(mine->rogue->host), -1, EV_TIMEOUT, on_alive,
                  mine, &pause);
}

static void work_nothing(void *op) {
  (void)op;
}

/* True when that was all: the operation is answered, or never will be. */
static bool misbehave(struct rogue *rogue, struct sluice_op *op) {
  struct rogue_op *mine = rogue->how == HUGE_STATE ? NULL : state(op);
  if (mine != NULL)
    *mine = (struct rogue_op){.op = op, .rogue = rogue};
  switch (rogue->how) {
  case NEVER:
  case SILENT:
    return true;
  case LATE:
    done_later(rogue, op);
    return true;
  case ALIVE:
    alive_later(mine);
    return true;
  case TWICE:
    sluice_done(op, SLUICE_ENOENT, NULL);
    sluice_done(op, SLUICE_OK, NULL);
    return true;
  case TWICE_LATER:
    done_later(rogue, op);
    sluice_done(op, SLUICE_ENOENT, NULL);
    return true;
  case DONE_EARLY:
    sluice_done(op, SLUICE_OK, NULL);
    return true;
  case BAD_STATUS:
    sluice_done(op, (enum sluice_status)99, NULL);
    return true;
  case HUGE_STATE:
    mine = sluice_op_state(op, 1u << 20);
    sluice_done(op, mine == NULL ? SLUICE_EIO : SLUICE_OK, NULL);
    return true;
  case OTHER_STATE:
    mine = sluice_op_state(op, sizeof *mine + 1);
    sluice_done(op, mine == NULL ? SLUICE_EIO : SLUICE_OK, NULL);
    return true;
  case WRONG_THREAD:
    sluice_work(rogue->host, say_done, work_nothing, op);
    return true;
  case WELL:
  case HALF:
  case GARBAGE_META:
  case HUGE_META:
  case META_TWICE:
  case GARBAGE_LIST:
  case TOO_MANY:
  case SHORT_LENGTH:
  case LONG_LENGTH:
  case NO_LENGTH:
  case NO_END:
  case UNASKED_SEND:
  case UNASKED_NEXT:
  case DONE_WHILE_LENT:
  case BAD_TEXT:
    break;
  }
  return false;
}

static void tell(const struct rogue *rogue, struct sluice_op *op) {
  struct sluice_pair pairs[66] = {{"original-filename", "a.bin"}};
  struct sluice_meta meta = SLUICE_META;
  meta.length = LENGTH;
  meta.etag = "e";
  meta.type = "text/plain";
  meta.user = pairs;
  if (rogue->how == GARBAGE_META) {
    meta.mtime_ms = INT64_MIN;
    meta.etag = "\r\nX-Evil: 1";
    meta.type = "text/html\r\nX-Evil: 1";
    pairs[0].value = "a\r\nX-Evil: \xff\"1";
  }
  for (size_t i = 1; i < 65 && rogue->how == HUGE_META; i++)
    pairs[i] = pairs[0];
  sluice_meta(op, &meta);
  if (rogue->how == META_TWICE)
    sluice_meta(op, &meta);
}

static void head(void *handle, struct sluice_op *op, const char *key) {
  (void)key;
  if (misbehave(handle, op))
    return;
  tell(handle, op);
  sluice_done(op, SLUICE_OK, NULL);
}

static void send_piece(struct sluice_op *op, uint64_t length, bool last) {
  sluice_send(op, &(struct sluice_chunk){zeros, length, 0, -1, last});
}

static void get(void *handle, struct sluice_op *op,
                const struct sluice_get *wanted) {
  const struct rogue *rogue = handle;
  (void)wanted;
  if (misbehave(handle, op))
    return;
  tell(handle, op);
  if (rogue->how == UNASKED_SEND)
    send_piece(op, PIECE, false);
}

static void go_on(struct rogue_op *mine) {
  uint64_t piece = mine->left < PIECE ? mine->left : PIECE;
  mine->left -= piece;
  send_piece(mine->op, piece, mine->left == 0);
}

static void read_range(void *handle, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  const struct rogue *rogue = handle;
  struct rogue_op *mine = state(op);
  (void)first;
  mine->left = count;
  if (rogue->how == SHORT_LENGTH)
    mine->left--;
  if (rogue->how == LONG_LENGTH)
    send_piece(op, count + 1, true);
  else if (rogue->how == NO_LENGTH)
    send_piece(op, 0, false);
  else
    go_on(mine);
  if (rogue->how == DONE_WHILE_LENT)
    sluice_done(op, SLUICE_OK, NULL);
}

static void more(void *handle, struct sluice_op *op) {
  const struct rogue *rogue = handle;
  struct rogue_op *mine = state(op);
  if (rogue->how == HALF)
    return;
  if (mine->left > 0)
    go_on(mine);
  else if (rogue->how != NO_END)
    sluice_done(op, SLUICE_OK, NULL);
}

static void put(void *handle, struct sluice_op *op,
                const struct sluice_put *hint) {
  const struct rogue *rogue = handle;
  (void)hint;
  if (misbehave(handle, op))
    return;
  sluice_next(op);
  if (rogue->how == UNASKED_NEXT)
    sluice_next(op);
}

static void data(void *handle, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  const struct rogue *rogue = handle;
  (void)chunk;
  if (rogue->how == HALF)
    return;
  sluice_next(op);
  if (rogue->how == UNASKED_NEXT)
    sluice_next(op);
}

static void commit(void *handle, struct sluice_op *op,
                   const struct sluice_object *object) {
  (void)handle;
  (void)object;
  sluice_done(op, SLUICE_OK, NULL);
}

static void list(void *handle, struct sluice_op *op,
                 const struct sluice_list *wanted) {
  const struct rogue *rogue = handle;
  struct sluice_meta meta = SLUICE_META;
  uint32_t count = rogue->how == TOO_MANY ? wanted->max + 1 : 1;
  if (misbehave(handle, op))
    return;
  for (uint32_t i = 0; i < count; i++)
    sluice_entry(op, "t/a", &meta);
  if (rogue->how == GARBAGE_LIST) {
    meta.etag = "\xff";
    sluice_entry(op, "t/\xff\xfe", &meta);
    sluice_entry(op, "t/b", &meta);
    sluice_prefix(op, "\xc3(");
  }
  sluice_done(op, SLUICE_OK, NULL);
}

static void remove_key(void *handle, struct sluice_op *op, const char *key) {
  (void)key;
  if (!misbehave(handle, op))
    sluice_done(op, SLUICE_OK, NULL);
}

static void cancel(void *handle, struct sluice_op *op) {
  const struct rogue *rogue = handle;
  if (rogue->how != NEVER && rogue->how != LATE)
    sluice_done(op, SLUICE_ECANCELED, NULL);
}

static void ping(void *handle, struct sluice_op *op) {
  (void)handle;
  sluice_done(op, SLUICE_OK, NULL);
}

static void presign(void *handle, struct sluice_op *op,
                    const struct sluice_link *link) {
  const struct rogue *rogue = handle;
  (void)link;
  if (misbehave(handle, op))
    return;
  sluice_text(op, rogue->how == BAD_TEXT ? "http://h/\xff" : "http://h/");
  sluice_done(op, SLUICE_OK, NULL);
}

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "rogue",
    .version = "1.0",
    .summary = "breaks the contract, for tests",
    .options = options,
    .conf_size = sizeof(struct rogue_conf),
    .start = start,
    .stop = stop,
    .open = open_rogue,
    .close = stop,
    .head = head,
    .get = get,
    .read = read_range,
    .more = more,
    .put = put,
    .data = data,
    .commit = commit,
    .list = list,
    .remove = remove_key,
    .cancel = cancel,
    .ping = ping,
    .presign = presign,
};
SLUICE_BACKEND(rogue, backend)
