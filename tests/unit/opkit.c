/* SPDX-License-Identifier: MIT
 *
 * The two sides of an operation that is tested.
 */
#include "opkit.h"

#include <assert.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

enum { CALL_READ, CALL_MORE, CALL_DATA, CALL_COMMIT, CALL_SAVE, CALL_CANCEL };

static void note(struct op_rig *rig, char letter) {
  assert(rig->len < sizeof rig->line - 1);
  rig->line[rig->len++] = letter;
}

/* ---- the plugin's side -------------------------------------------------- */

static void say_too_much(struct op_rig *rig) {
  static struct sluice_pair pairs[OP_USER_MAX + 2];
  struct sluice_meta meta = SLUICE_META;
  for (size_t i = 0; i <= OP_USER_MAX; i++)
    pairs[i] = (struct sluice_pair){"n", "v"};
  meta.user = pairs;
  sluice_meta(rig->op, &meta);
}

static void say_thousand(struct op_rig *rig) {
  char key[16];
  for (int i = 0; i < 1000; i++) {
    snprintf(key, sizeof key, "k%d", i);
    sluice_entry(rig->op, key, &rig->meta);
  }
}

static void say_letter(struct op_rig *rig, char letter) {
  struct sluice_chunk chunk = {.data = "data", .length = 4, .fd = -1};
  switch (letter) {
  case 'M':
    sluice_meta(rig->op, &rig->meta);
    break;
  case 'B':
    say_too_much(rig);
    break;
  case 'L':
    chunk.last = true;
    sluice_send(rig->op, &chunk);
    break;
  case 'S':
    sluice_send(rig->op, &chunk);
    break;
  case 'N':
    sluice_next(rig->op);
    break;
  case 'g':
  case 'G':
    sluice_staged(rig->op, &(struct sluice_staged){
                               .size = sizeof(struct sluice_staged),
                               .offset = rig->op->known + (letter == 'G'),
                               .state = "state",
                               .state_size = 5});
    break;
  case 'v':
    sluice_alive(rig->op);
    break;
  case 'e':
    sluice_entry(rig->op, "key", &rig->meta);
    break;
  case 'p':
    sluice_prefix(rig->op, "folder/");
    break;
  case 'k':
    say_thousand(rig);
    break;
  case 't':
    sluice_text(rig->op, rig->text);
    break;
  case 'f':
    sluice_failed(rig->op, 1, SLUICE_EIO);
    break;
  case 'u':
    sluice_truncated(rig->op, rig->token);
    break;
  case 'D':
    note(rig, '!');
    rig->rest = NULL; /* whatever it had in mind */
    sluice_done(rig->op, SLUICE_OK, NULL);
    break;
  case 'E':
    note(rig, '!');
    rig->rest = NULL;
    sluice_done(rig->op, SLUICE_ENOENT, "no %s", "such thing");
    break;
  default:
    assert(letter == 0);
  }
}

void op_rig_say(struct op_rig *rig, const char *script) {
  for (; script != NULL && *script != '\0' && *script != '|'; script++) {
    if (*script == ';') {
      rig->rest = script + 1;
      if (!rig->pending)
        loop_post(rig->loop, &rig->later);
      rig->pending = true;
      return;
    }
    say_letter(rig, *script);
  }
}

static void say_rest(struct loop_task *task) {
  struct op_rig *rig = (void *)((char *)task - offsetof(struct op_rig, later));
  rig->pending = false;
  op_rig_say(rig, rig->rest);
}

/* The script of this call of a function. */
static const char *turn_of(const char *script, int number) {
  while (script != NULL && number-- > 0) {
    script = strchr(script, '|');
    if (script != NULL)
      script++;
  }
  return script;
}

static void called(struct op_rig *rig, struct sluice_op *op, char letter,
                   const char *script) {
  rig->op = op;
  note(rig, '<');
  note(rig, letter);
  op_rig_say(rig, script);
  note(rig, '>');
}

static void on_head(void *handle, struct sluice_op *op, const char *key) {
  (void)key;
  called(handle, op, 'H', ((struct op_rig *)handle)->script.start);
}

static void on_get(void *handle, struct sluice_op *op,
                   const struct sluice_get *get) {
  (void)get;
  called(handle, op, 'G', ((struct op_rig *)handle)->script.start);
}

static void on_put(void *handle, struct sluice_op *op,
                   const struct sluice_put *put) {
  (void)put;
  called(handle, op, 'P', ((struct op_rig *)handle)->script.start);
}

static void on_list(void *handle, struct sluice_op *op,
                    const struct sluice_list *list) {
  (void)list;
  called(handle, op, 'I', ((struct op_rig *)handle)->script.start);
}

static void on_remove(void *handle, struct sluice_op *op, const char *key) {
  (void)key;
  called(handle, op, 'V', ((struct op_rig *)handle)->script.start);
}

static void on_remove_many(void *handle, struct sluice_op *op,
                           const char *const *keys, size_t count) {
  (void)keys, (void)count;
  called(handle, op, 'W', ((struct op_rig *)handle)->script.start);
}

static void on_copy(void *handle, struct sluice_op *op,
                    const struct sluice_copy *copy) {
  (void)copy;
  called(handle, op, 'K', ((struct op_rig *)handle)->script.start);
}

static void on_ping(void *handle, struct sluice_op *op) {
  called(handle, op, 'Z', ((struct op_rig *)handle)->script.start);
}

static void on_presign(void *handle, struct sluice_op *op,
                       const struct sluice_link *link) {
  (void)link;
  called(handle, op, 'F', ((struct op_rig *)handle)->script.start);
}

static void on_verify(void *handle, struct sluice_op *op,
                      const struct sluice_claim *claim) {
  (void)claim;
  called(handle, op, 'Y', ((struct op_rig *)handle)->script.start);
}

static void on_read(void *handle, struct sluice_op *op, uint64_t first,
                    uint64_t count) {
  struct op_rig *rig = handle;
  (void)first, (void)count;
  called(rig, op, 'R', turn_of(rig->script.read, rig->calls[CALL_READ]++));
}

static void on_more(void *handle, struct sluice_op *op) {
  struct op_rig *rig = handle;
  called(rig, op, 'O', turn_of(rig->script.more, rig->calls[CALL_MORE]++));
}

static void on_data(void *handle, struct sluice_op *op,
                    const struct sluice_chunk *chunk) {
  struct op_rig *rig = handle;
  (void)chunk;
  called(rig, op, 'A', turn_of(rig->script.data, rig->calls[CALL_DATA]++));
}

static void on_commit(void *handle, struct sluice_op *op,
                      const struct sluice_object *object) {
  struct op_rig *rig = handle;
  (void)object;
  called(rig, op, 'C', turn_of(rig->script.commit, rig->calls[CALL_COMMIT]++));
}

static void on_stage(void *handle, struct sluice_op *op,
                     const struct sluice_stage *stage) {
  (void)stage;
  called(handle, op, 'T', ((struct op_rig *)handle)->script.start);
}

static void on_save(void *handle, struct sluice_op *op,
                    const struct sluice_save *save) {
  struct op_rig *rig = handle;
  (void)save;
  called(rig, op, 'W', turn_of(rig->script.save, rig->calls[CALL_SAVE]++));
}

static void on_stage_commit(void *handle, struct sluice_op *op,
                            const struct sluice_object *object,
                            const struct sluice_save *save) {
  (void)save;
  on_commit(handle, op, object);
}

static void on_cancel(void *handle, struct sluice_op *op) {
  struct op_rig *rig = handle;
  called(rig, op, 'X', turn_of(rig->script.cancel, rig->calls[CALL_CANCEL]++));
}

/* ---- the gateway's side ------------------------------------------------- */

static void on_released(void *arg) {
  struct op_rig *rig = arg;
  rig->releases++;
  note(rig, 'r');
}

void op_rig_leave(struct op_rig *rig) {
  op_leave(rig->op, on_released, rig);
}

/* True when there is nothing more to do in this event. */
static bool happened(struct op_rig *rig, char letter) {
  note(rig, letter);
  if (++rig->events == rig->script.leave) {
    op_rig_leave(rig);
    return true;
  }
  return rig->script.hold == letter;
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct op_rig *rig = arg;
  rig->seen = *meta;
  const char *const texts[] = {
      meta->etag,          meta->type,    meta->encoding, meta->language,
      meta->cache_control, meta->expires, meta->md5};
  int len = 0;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    len += snprintf(rig->seen_texts + len, 40, "%s%s", i == 0 ? "" : " ",
                    texts[i] == NULL ? "-" : texts[i]);
  for (rig->seen_user = 0; meta->user[rig->seen_user].name != NULL;)
    rig->seen_user++;
  rig->seen.etag = rig->seen.type = NULL;
  rig->seen.encoding = rig->seen.language = NULL;
  rig->seen.cache_control = rig->seen.expires = rig->seen.md5 = NULL;
  rig->seen.user = NULL;
  if (!happened(rig, 'm') && rig->script.kind == OP_GET)
    op_read(rig->op, 0, UINT64_MAX);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct op_rig *rig = arg;
  assert(chunk->length == 4 && memcmp(chunk->data, "data", 4) == 0);
  if (!happened(rig, 'c'))
    op_more(rig->op);
}

static void on_alive(void *arg) {
  happened(arg, 'v');
}

static void give(struct op_rig *rig) {
  static const struct sluice_save save = {.state = "state", .state_size = 5};
  if (rig->sent++ < rig->script.chunks)
    op_data(rig->op,
            &(struct sluice_chunk){.data = "data", .length = 4, .fd = -1});
  else
    op_stage_commit(rig->op, &(struct sluice_object){.key = "key"}, &save);
}

static void on_staged(void *arg, const struct sluice_staged *staged) {
  struct op_rig *rig = arg;
  assert(staged->state_size == 5 && memcmp(staged->state, "state", 5) == 0);
  if (!happened(rig, 's'))
    give(rig);
}

static void on_next(void *arg) {
  struct op_rig *rig = arg;
  if (happened(rig, 'n'))
    return;
  if (rig->script.kind == OP_STAGE) {
    op_save(rig->op, &(struct sluice_save){.state = "state", .state_size = 5});
    return;
  }
  if (rig->sent++ < rig->script.chunks)
    op_data(rig->op,
            &(struct sluice_chunk){.data = "data",
                                   .length = 4,
                                   .fd = -1,
                                   .last = rig->sent == rig->script.chunks});
  else
    op_commit(rig->op, &(struct sluice_object){.key = "key"});
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct op_rig *rig = arg;
  note(rig, 'd');
  rig->dones++;
  rig->status = status;
  snprintf(rig->why, sizeof rig->why, "%s", why ? why : "");
  rig->texts = op_texts(rig->op);
  rig->entries = op_entries(rig->op);
  for (size_t i = 0; i < 2; i++)
    rig->removed[i] = op_removed(rig->op, i);
  rig->truncated = op_token(rig->op) != NULL;
}

/* ---- both --------------------------------------------------------------- */

void op_rig_init(struct op_rig *rig, const struct op_script *script) {
  *rig = (struct op_rig){.script = *script,
                         .loop = loop_new(),
                         .later.run = say_rest,
                         .text = "text",
                         .token = "token",
                         .meta = SLUICE_META};
  rig->plugin = (struct sluice_backend){SLUICE_HEAD(sluice_backend),
                                        .name = "fake",
                                        .head = on_head,
                                        .get = on_get,
                                        .read = on_read,
                                        .more = on_more,
                                        .put = on_put,
                                        .data = on_data,
                                        .commit = on_commit,
                                        .list = on_list,
                                        .remove = on_remove,
                                        .cancel = on_cancel,
                                        .ping = on_ping,
                                        .copy = on_copy,
                                        .remove_many = on_remove_many,
                                        .presign = on_presign,
                                        .verify = on_verify,
                                        .stage = on_stage,
                                        .save = on_save,
                                        .stage_commit = on_stage_commit};
  rig->backend =
      (struct op_backend){.plugin = &rig->plugin,
                          .handle = rig,
                          .host = {.name = "main", .loop = rig->loop}};
}

void op_rig_fini(struct op_rig *rig) {
  loop_free(rig->loop);
}

void op_rig_start(struct op_rig *rig) {
  static const struct op_events events = {.meta = on_meta,
                                          .chunk = on_chunk,
                                          .next = on_next,
                                          .staged = on_staged,
                                          .alive = on_alive,
                                          .done = on_done};
  static const char *const keys[] = {"key", "other"};
  struct op_backend *backend = &rig->backend;
  switch (rig->script.kind) {
  case OP_HEAD:
    rig->op = op_head(backend, "key", &events, rig);
    break;
  case OP_GET:
    rig->op = op_get(backend, &(struct sluice_get){0}, &events, rig);
    break;
  case OP_PUT:
    rig->op =
        op_put(backend, &(struct sluice_put){.length = -1}, &events, rig);
    break;
  case OP_LIST:
    rig->op =
        op_list(backend, &(struct sluice_list){.max = 1000}, &events, rig);
    break;
  case OP_REMOVE:
    rig->op = op_remove(backend, "key", &events, rig);
    break;
  case OP_REMOVE_MANY:
    rig->op = op_remove_many(backend, keys, 2, &events, rig);
    break;
  case OP_COPY:
    rig->op = op_copy(backend, &(struct sluice_copy){0}, &events, rig);
    break;
  case OP_PING:
    rig->op = op_ping(backend, &events, rig);
    break;
  case OP_PRESIGN:
    rig->op = op_presign(backend, &(struct sluice_link){0}, &events, rig);
    break;
  case OP_VERIFY:
    rig->op = op_verify(backend, &(struct sluice_claim){0}, &events, rig);
    break;
  case OP_STAGE:
    rig->op = op_stage(backend, &(struct sluice_stage){0}, &events, rig);
    break;
  case OP_STAGE_REMOVE:
  case OP_STAGE_SWEEP:
    abort(); /* a kind without a script */
    break;
  }
  if (rig->script.leave == 0)
    op_rig_leave(rig);
}

void op_rig_turn(struct op_rig *rig) {
  for (int i = 0; i < 4; i++)
    event_base_loop(loop_base(rig->loop), EVLOOP_NONBLOCK);
}

void op_rig_finish(struct op_rig *rig) {
  loop_stop(rig->loop);
  loop_run(rig->loop);
}

void op_rig_run(struct op_rig *rig, const struct op_script *script) {
  op_rig_init(rig, script);
  op_rig_start(rig);
  op_rig_finish(rig);
}
