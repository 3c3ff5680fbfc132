/* SPDX-License-Identifier: MIT
 *
 * The plugin's voice in an operation.  Nothing said here reaches the gateway's
 * side before the plugin's call has returned; what is out of turn is logged
 * under the plugin's name, counted and dropped.
 */
#include "op_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "violation.h"
#include "codec.h"
#include "must.h"

#define WHY_MAX 1024
#define TOKEN_MAX 4096

void op_say(struct sluice_op *op, enum op_signal signal) {
  op->said |= signal;
  if (op->queued)
    return;
  op->queued = true;
  loop_defer(op->backend->host.loop, &op->task);
}

void op_violation(struct op_backend *backend, const char *call,
                  const char *what) {
  violation_note(&backend->misused, &backend->host, backend->plugin->name,
                 call, what);
}

static void misuse(struct sluice_op *op, const char *call, const char *why) {
  op_violation(op->backend, call, why);
}

static void op_say_check_thread(const struct sluice_op *op, const char *call) {
  if (!loop_is_mine(op->backend->host.loop))
    violation_of_thread(&op->backend->host, op->backend->plugin->name, call);
}

/* May the plugin speak at all?  After a cancel, nobody listens: that is fine.
 */
static bool listening(struct sluice_op *op, const char *call) {
  op_say_check_thread(op, call);
  if (op_is_done(op))
    misuse(op, call, VIOLATION_AFTER_DONE);
  return !op_is_done(op) && !op->left && !op->pending;
}

/* A word that can't be used ends the operation, but for one that stores: it
 * isn't part of it, and the plugin may still read a chunk. */
static void spoil(struct sluice_op *op, const char *call, const char *why) {
  misuse(op, call, why);
  if (op_stores(op))
    return;
  op->status = SLUICE_EUPSTREAM;
  op_say(op, OP_SAID_NONSENSE);
}

void *sluice_op_state(struct sluice_op *op, size_t size) {
  bool sane = size > 0 && size <= OP_STATE_MAX &&
              (op->state == NULL || op->state_size == size) &&
              (op->backend->layer == NULL ||
               size <= OP_LAYER_STATE + op->backend->plugin->op_memory);
  op_say_check_thread(op, "sluice_op_state");
  if (!sane || op->turn == OP_BURIED) {
    misuse(op, "sluice_op_state",
           op->turn == OP_BURIED
               ? VIOLATION_AFTER_DONE
               : "of more than 64 KiB, of more than a layer's op_memory "
                 "and 1 KiB, or of another size than before");
    return NULL;
  }
  if (op->state == NULL) {
    op->state = calloc(1, size);
    op->state_size = size;
    must_have(op->state); /* a plugin can't go on without */
  }
  return op->state;
}

void sluice_done(struct sluice_op *op, enum sluice_status status,
                 const char *why, ...) {
  op_say_check_thread(op, "sluice_done");
  bool lent =
      op->turn == OP_LENT || op->turn == OP_LENT_LAST || op->turn == OP_RELENT;
  if (!op_takes_turn(op, OP_CALL_DONE)) {
    misuse(op, "sluice_done", VIOLATION_TWICE);
    return;
  }
  if ((unsigned)status > SLUICE_ECANCELED) {
    misuse(op, "sluice_done", "with what is no status");
    status = SLUICE_EIO;
  }
  if (op->asks != NULL) {
    misuse(op, "sluice_done", VIOLATION_OWED);
    op->status = SLUICE_EUPSTREAM;
  }
  if (lent && !op->pending) /* no longer, once it is canceled */
    spoil(op, "sluice_done", "while a chunk is lent");
  if (op->status == SLUICE_OK)
    op->status = status;
  if (why != NULL && !op->left) {
    va_list args;
    va_start(args, why);
    op->why = malloc(WHY_MAX);
    if (op->why != NULL)
      vsnprintf(op->why, WHY_MAX, why, args);
    va_end(args);
  }
  op_say(op, OP_SAID_DONE);
}

void sluice_done_text(struct sluice_op *op, enum sluice_status status,
                      const char *why) {
  sluice_done(op, status, why == NULL ? NULL : "%s", why);
}

void sluice_alive(struct sluice_op *op) {
  if (listening(op, "sluice_alive"))
    op_say(op, OP_SAID_ALIVE);
}

/* Can headers and JSON carry it?  Most of them are of ASCII alone. */
static bool is_text(const char *text) {
  const char *at = text;
  while (*at >= 0x20 && *at < 0x7F)
    at++;
  if (*at == '\0')
    return true;
  if (!codec_utf8_valid(text, strlen(text)))
    return false;
  while (*text != '\0')
    if (codec_control(codec_utf8_next(&text)))
      return false;
  return true;
}

/* The rest of the object may be of use.  The violations are in the order of
 * op_item_text(). */
static void leave_out(struct sluice_op *op, const char *call,
                      struct sluice_meta *meta) {
  static const char *const violations[] = {
      "with an ETag that isn't text; it is left out",
      "with a type that isn't text; it is left out",
      "with an encoding that isn't text; it is left out",
      "with a language that isn't text; it is left out",
      "with a cache_control that isn't text; it is left out",
      "with an expires that isn't text; it is left out",
      "with an MD5 that isn't text; it is left out"};
  const char **text;
  for (size_t i = 0; (text = op_item_text(meta, i)) != NULL; i++)
    if (*text != NULL && !is_text(*text)) {
      must(i < sizeof violations / sizeof *violations);
      misuse(op, call, violations[i]);
      *text = NULL;
    }
}

/* May the plugin describe the object now? */
static bool takes_meta(struct sluice_op *op) {
  if (!listening(op, "sluice_meta"))
    return false;
  bool expected = op->kind == OP_HEAD || op->kind == OP_GET ||
                  op->kind == OP_COPY || op->committed;
  bool taken = op_takes_turn(op, OP_CALL_META);
  if (!taken)
    misuse(op, "sluice_meta",
           expected ? VIOLATION_TWICE : "in another operation");
  return taken;
}

static void describe(struct sluice_op *op, struct op_item *item) {
  op->meta = item;
  op->described = true;
  if (!op_hides(op)) {
    op_say(op, OP_SAID_META);
    return;
  }
  op->status = SLUICE_ENOENT;
  op_say(op, OP_SAID_NONSENSE);
}

void sluice_meta(struct sluice_op *op, const struct sluice_meta *meta) {
  if (!takes_meta(op))
    return;
  struct op_item *item = op_item_new(NULL, meta);
  if (item == NULL) {
    spoil(op, "sluice_meta", "with more metadata than is allowed");
    return;
  }
  leave_out(op, "sluice_meta", &item->meta);
  describe(op, item);
}

void op_move_meta(struct sluice_op *to, struct sluice_op *from) {
  if (!takes_meta(to))
    return;
  describe(to, from->meta);
  from->meta = NULL;
}

void sluice_send(struct sluice_op *op, const struct sluice_chunk *chunk) {
  if (!listening(op, "sluice_send"))
    return;
  if (!op_takes_turn(op, chunk->last ? OP_CALL_SEND_LAST : OP_CALL_SEND)) {
    misuse(op, "sluice_send", "before read() or more()");
    return;
  }
  op->chunk = *chunk;
  op_say(op, OP_SAID_CHUNK);
}

void sluice_next(struct sluice_op *op) {
  if (!listening(op, "sluice_next"))
    return;
  if (!op_takes_turn(op, OP_CALL_NEXT)) {
    misuse(op, "sluice_next", "without a chunk to return");
    return;
  }
  op_say(op, OP_SAID_NEXT);
}

static void add_item(struct sluice_op *op, const char *call, const char *key,
                     const struct sluice_meta *meta) {
  if (!listening(op, call))
    return;
  if (op->kind != OP_LIST || op->item_count >= op->item_limit) {
    spoil(op, call, "more often than was asked for");
    return;
  }
  if (!codec_utf8_valid(key, strlen(key))) {
    repeat_line(&op->backend->repeats, op->backend->host.loop, SLUICE_LOG_WARN,
                op->backend->host.name, "key",
                "a key that isn't UTF-8 is left out of a list");
    return;
  }
  if (op->item_count == op->item_max) {
    size_t more = op->item_max == 0 ? 32 : op->item_max * 2;
    struct op_item **items = realloc(op->items, more * sizeof(*items));
    if (items == NULL) {
      op->status = SLUICE_ENOMEM;
      return;
    }
    op->items = items;
    op->item_max = more;
  }
  struct op_item *item = op_item_new(key, meta);
  if (item == NULL) {
    op->status = SLUICE_ENOMEM;
    return;
  }
  leave_out(op, call, &item->meta);
  op->items[op->item_count++] = item;
}

void sluice_entry(struct sluice_op *op, const char *key,
                  const struct sluice_meta *meta) {
  add_item(op, "sluice_entry", key, meta);
}

void sluice_prefix(struct sluice_op *op, const char *prefix) {
  add_item(op, "sluice_prefix", prefix, NULL);
}

void sluice_truncated(struct sluice_op *op, const char *token) {
  if (!listening(op, "sluice_truncated"))
    return;
  if (op->kind != OP_LIST || op->token != NULL || strlen(token) > TOKEN_MAX) {
    spoil(op, "sluice_truncated", "twice, or with too long a token");
    return;
  }
  op->token = strdup(token);
  if (op->token == NULL)
    op->status = SLUICE_ENOMEM;
}

void sluice_text(struct sluice_op *op, const char *text) {
  if (!listening(op, "sluice_text"))
    return;
  if (op->text_count == OP_TEXTS_MAX || strlen(text) > OP_TEXT_MAX ||
      !is_text(text)) {
    spoil(op, "sluice_text", "too often, or with what is no text");
    return;
  }
  op->texts[op->text_count] = strdup(text);
  if (op->texts[op->text_count] == NULL)
    op->status = SLUICE_ENOMEM;
  else
    op->text_count++;
}

/* One that can't be told may not be taken for removed; and after a cancel,
 * somebody may want to know what took place. */
void sluice_failed(struct sluice_op *op, size_t index,
                   enum sluice_status status) {
  op_say_check_thread(op, "sluice_failed");
  if (op_is_done(op))
    misuse(op, "sluice_failed", VIOLATION_AFTER_DONE);
  if (op_is_done(op) || op->left)
    return;
  if (op->kind != OP_REMOVE_MANY || index >= op->item_limit ||
      op->failure_count >= op->item_limit || status == SLUICE_OK ||
      (unsigned)status > SLUICE_ECANCELED) {
    spoil(op, "sluice_failed", "of a key that wasn't asked for, or twice");
    return;
  }
  if (op->failure_count == op->failure_max) {
    size_t more = op->failure_max == 0 ? 32 : op->failure_max * 2;
    struct op_failure *failures =
        realloc(op->failures, more * sizeof *failures);
    if (failures == NULL) {
      op->status = SLUICE_ENOMEM;
      return;
    }
    op->failures = failures;
    op->failure_max = more;
  }
  op->failures[op->failure_count++] = (struct op_failure){index, status};
}

/* A word about a stage that isn't true ends it here: a client would take it
 * for a promise. */
static void refuse_staged(struct sluice_op *op, const char *why) {
  misuse(op, "sluice_staged", why);
  op->status = SLUICE_EUPSTREAM;
  op_say(op, OP_SAID_NONSENSE);
}

/* An opened stage tells all of it; a saved one is all that was lent. */
static const char *staged_fault(const struct sluice_op *op, bool opening,
                                const struct sluice_staged *staged) {
  if (staged->state_size > SLUICE_STAGE_STATE_MAX)
    return "with more state than can be saved";
  if (staged->offset > INT64_MAX)
    return "with an offset that no object has";
  if (!opening && staged->offset != op->known)
    return "with another offset than that of all that was lent";
  return NULL;
}

void sluice_staged(struct sluice_op *op, const struct sluice_staged *said) {
  if (!listening(op, "sluice_staged"))
    return;
  bool opening = op->turn == OP_OPENING;
  if (!op_takes_turn(op, OP_CALL_STAGED)) {
    misuse(op, "sluice_staged", "before stage() or save()");
    return;
  }
  struct sluice_staged staged = {.size = sizeof staged};
  memcpy(&staged, said,
         said->size < sizeof staged ? said->size : sizeof staged);
  const char *fault = staged_fault(op, opening, &staged);
  if (fault != NULL) {
    refuse_staged(op, fault);
    return;
  }
  char *state = malloc(staged.state_size + 1);
  must_have(state);
  if (staged.state_size > 0)
    memcpy(state, staged.state, staged.state_size);
  free(op->staged_state);
  op->staged_state = state;
  staged.state = state;
  op->staged = staged;
  op->known = staged.offset;
  op_say(op, OP_SAID_STAGED);
}
