/* SPDX-License-Identifier: MIT
 *
 * The template for backends, driven as the gateway drives one: it keeps the
 * contract, also when it is left in the middle.
 */
#include "unit.h"

#include "buf.h"
#include "codec.h"
#include "digest.h"
#include "loop.h"
#include "op.h"
#include "work.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>

#define MAX_BYTES 100

const struct sluice_backend *sluice_backend_skeleton(void);

struct kit {
  struct work_pool *pool;
  struct loop *loop;
  struct sluice_host host;
  struct op_backend backend;
  void *instance;
};

struct call {
  struct kit *kit;
  struct sluice_op *op;
  const char *key, *data; /* put: one chunk a letter */
  uint64_t first, count;  /* get */
  bool exclusive;
  int turn, leave; /* leaves at this turn, counted from 1; 0: stays */
  size_t sent;
  bool last_sent, done, left;
  enum sluice_status status;
  struct buf said; /* meta and bytes, or a page's lines */
};

/* ---- the gateway's side --------------------------------------------------
 */

static void start(struct kit *kit) {
  static const uint64_t conf = MAX_BYTES; /* its only option */
  const struct sluice_backend *plugin = sluice_backend_skeleton();
  *kit = (struct kit){.pool = work_pool_new(2), .loop = loop_new()};
  assert(kit->pool && kit->loop && plugin->conf_size == sizeof conf);
  kit->host =
      (struct sluice_host){.name = "skeleton", .share = work_own(kit->pool)};
  kit->instance = plugin->start(&conf, &kit->host);
  kit->backend = (struct op_backend){.plugin = plugin, .host = kit->host};
  kit->backend.host.loop = kit->loop;
  kit->backend.handle = plugin->open(kit->instance, &kit->backend.host);
  assert(kit->instance && kit->backend.handle);
}

static void end(struct kit *kit) {
  CU_ASSERT_EQUAL(kit->backend.misused, 0);
  kit->backend.plugin->close(kit->backend.handle);
  kit->backend.plugin->stop(kit->instance);
  loop_free(kit->loop);
  work_pool_free(kit->pool);
}

static void released(void *arg) {
  ((struct call *)arg)->done = true;
}

/* True when it is time to leave, which is done then. */
static bool leaves(struct call *call) {
  if (++call->turn != call->leave)
    return false;
  call->left = true;
  op_leave(call->op, released, call);
  return true;
}

static void commit(struct call *call) {
  static const struct sluice_pair user[] = {{"original-filename", "a b"},
                                            {NULL, NULL}};
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1];
  digest_md5(md5, call->data, strlen(call->data));
  codec_hex(hex, md5, sizeof md5);
  op_commit(call->op, &(struct sluice_object){.key = call->key,
                                              .type = "text/plain",
                                              .length = strlen(call->data),
                                              .md5 = hex,
                                              .user = user,
                                              .exclusive = call->exclusive});
}

static void on_next(void *arg) {
  struct call *call = arg;
  if (leaves(call))
    return;
  if (call->last_sent) {
    commit(call);
    leaves(call);
    return;
  }
  const char *at = call->data + call->sent;
  size_t len = *at != '\0';
  call->sent += len;
  call->last_sent = call->data[call->sent] == '\0';
  op_data(call->op,
          &(struct sluice_chunk){
              .data = at, .length = len, .fd = -1, .last = call->last_sent});
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct call *call = arg;
  buf_addf(&call->said, "%llu %s", (unsigned long long)meta->length,
           meta->type);
  for (const struct sluice_pair *pair = meta->user; pair->name; pair++)
    buf_addf(&call->said, " %s=%s", pair->name, pair->value);
  buf_addc(&call->said, '\n');
}

static void on_get_meta(void *arg, const struct sluice_meta *meta) {
  struct call *call = arg;
  on_meta(arg, meta);
  if (!leaves(call))
    op_read(call->op, call->first, call->count);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct call *call = arg;
  buf_add(&call->said, chunk->data, (size_t)chunk->length);
  if (!leaves(call))
    op_more(call->op);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct call *call = arg;
  (void)why;
  call->status = status;
  call->done = true;
  for (size_t i = 0; i < op_entries(call->op); i++)
    buf_addf(&call->said, "%c%s ", op_entry(call->op, i).meta ? 'k' : 'p',
             op_entry(call->op, i).key);
  if (op_token(call->op))
    buf_addf(&call->said, "t%s", op_token(call->op));
}

static void wait_for(struct call *call) {
  while (!call->done)
    event_base_loop(loop_base(call->kit->loop),
                    EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

static enum sluice_status put(struct call *call) {
  static const struct op_events events = {.next = on_next, .done = on_done};
  call->op = op_put(&call->kit->backend, &(struct sluice_put){.length = -1},
                    &events, call);
  leaves(call);
  wait_for(call);
  return call->status;
}

static enum sluice_status put_key(struct kit *kit, const char *key,
                                  const char *data) {
  return put(
      &(struct call){.kit = kit, .key = key, .data = data, .exclusive = true});
}

static enum sluice_status get(struct call *call) {
  static const struct op_events events = {
      .meta = on_get_meta, .chunk = on_chunk, .done = on_done};
  buf_init(&call->said, 4096);
  call->op =
      op_get(&call->kit->backend,
             &(struct sluice_get){.key = call->key, .count = UINT64_MAX},
             &events, call);
  leaves(call);
  wait_for(call);
  return call->status;
}

static enum sluice_status head(struct kit *kit, const char *key) {
  static const struct op_events events = {.meta = on_meta, .done = on_done};
  struct call call = {.kit = kit};
  buf_init(&call.said, 4096);
  call.op = op_head(&kit->backend, key, &events, &call);
  wait_for(&call);
  buf_fini(&call.said);
  return call.status;
}

static enum sluice_status remove_key(struct kit *kit, const char *key) {
  static const struct op_events events = {.done = on_done};
  struct call call = {.kit = kit};
  call.op = op_remove(&kit->backend, key, &events, &call);
  wait_for(&call);
  return call.status;
}

/* Is the page this one? */
static bool lists(struct kit *kit, const struct sluice_list *list,
                  const char *want) {
  static const struct op_events events = {.done = on_done};
  struct call call = {.kit = kit};
  buf_init(&call.said, 4096);
  call.op = op_list(&kit->backend, list, &events, &call);
  wait_for(&call);
  bool same = call.status == SLUICE_OK && strcmp(call.said.data, want) == 0;
  buf_fini(&call.said);
  return same;
}

/* ---- the facts -----------------------------------------------------------
 */

static void test_what_goes_in_comes_out(void) {
  static const struct {
    const char *data;
    uint64_t first, count;
    const char *want;
  } table[] = {{"hello", 0, UINT64_MAX, "hello"},
               {"hello", 1, 3, "ell"},
               {"hello", 4, 9, "o"},
               {"x", 0, 1, "x"}};
  struct kit kit;
  start(&kit);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct call call = {.kit = &kit,
                        .key = "a/b",
                        .first = table[i].first,
                        .count = table[i].count};
    struct buf want;
    buf_init(&want, 200);
    buf_addf(&want, "%zu text/plain original-filename=a b\n%s",
             strlen(table[i].data), table[i].want);
    CU_ASSERT_EQUAL(put_key(&kit, "a/b", table[i].data), SLUICE_OK);
    CU_ASSERT_EQUAL(get(&call), SLUICE_OK);
    CU_ASSERT_STRING_EQUAL(call.said.data, want.data);
    CU_ASSERT_EQUAL(remove_key(&kit, "a/b"), SLUICE_OK);
    buf_fini(&want);
    buf_fini(&call.said);
  }
  end(&kit);
}

static void test_range_past_end_is_erange(void) {
  struct kit kit;
  start(&kit);
  struct call call = {.kit = &kit, .key = "a", .first = 2, .count = 1};
  put_key(&kit, "a", "ab");
  CU_ASSERT_EQUAL(get(&call), SLUICE_ERANGE);
  buf_fini(&call.said);
  end(&kit);
}

static void test_what_is_not_there_is_enoent(void) {
  struct kit kit;
  start(&kit);
  struct call call = {.kit = &kit, .key = "a"};
  CU_ASSERT_EQUAL(put_key(&kit, "b", "b"), SLUICE_OK);
  CU_ASSERT_EQUAL(head(&kit, "a"), SLUICE_ENOENT);
  CU_ASSERT_EQUAL(get(&call), SLUICE_ENOENT);
  CU_ASSERT_EQUAL(remove_key(&kit, "a"), SLUICE_OK);
  CU_ASSERT_EQUAL(head(&kit, "b"), SLUICE_OK);
  buf_fini(&call.said);
  end(&kit);
}

static void test_exclusive_put_refuses_to_replace(void) {
  struct kit kit;
  struct call call = {.kit = &kit, .key = "a", .data = "three"};
  struct call read = {.kit = &kit, .key = "a", .count = UINT64_MAX};
  start(&kit);
  CU_ASSERT_EQUAL(put_key(&kit, "a", "one"), SLUICE_OK);
  CU_ASSERT_EQUAL(put_key(&kit, "a", "two"), SLUICE_EEXIST);
  CU_ASSERT_EQUAL(put(&call), SLUICE_OK);
  CU_ASSERT_EQUAL(get(&read), SLUICE_OK);
  CU_ASSERT_PTR_NOT_NULL(strstr(read.said.data, "\nthree"));
  buf_fini(&read.said);
  end(&kit);
}

static void test_object_is_as_large_as_the_limit_and_no_larger(void) {
  char data[MAX_BYTES + 2] = "";
  struct kit kit;
  start(&kit);
  memset(data, 'x', MAX_BYTES);
  CU_ASSERT_EQUAL(put_key(&kit, "a", data), SLUICE_OK);
  data[MAX_BYTES] = 'x';
  CU_ASSERT_EQUAL(put_key(&kit, "b", data), SLUICE_ETOOBIG);
  CU_ASSERT_EQUAL(head(&kit, "b"), SLUICE_ENOENT);
  end(&kit);
}

static void test_list_folds_and_goes_on_where_it_stopped(void) {
  static const struct {
    struct sluice_list list;
    const char *want;
  } table[] = {
      {{"", NULL, NULL, 9}, "ka ka/ ka/b ka/c kb/d kc "},
      {{"", NULL, NULL, 6}, "ka ka/ ka/b ka/c kb/d kc "},
      {{"", NULL, NULL, 2}, "ka ka/ ta/"},
      {{"", NULL, "a/", 2}, "ka/b ka/c ta/c"},
      {{"", NULL, "a/c", 2}, "kb/d kc "},
      {{"", "/", NULL, 9}, "ka pa/ pb/ kc "},
      {{"", "/", NULL, 2}, "ka pa/ ta/"},
      {{"", "/", "a/", 2}, "pb/ kc "},
      {{"", "/", NULL, 1}, "ka ta"},
      {{"", "/", "a", 1}, "pa/ ta/"},
      {{"a/", "/", NULL, 9}, "ka/ ka/b ka/c "},
      {{"a", "/", NULL, 9}, "ka pa/ "},
      {{"a/b", NULL, NULL, 9}, "ka/b "},
      {{"d", NULL, NULL, 9}, ""},
  };
  static const char *const keys[] = {"c", "a/c", "a", "b/d", "a/", "a/b"};
  struct kit kit;
  start(&kit);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    CU_ASSERT_EQUAL(put_key(&kit, keys[i], "x"), SLUICE_OK);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    CU_ASSERT(lists(&kit, &table[i].list, table[i].want));
  end(&kit);
}

/* The start, three chunks, the commit: at each of them. */
static void test_left_put_leaves_nothing(void) {
  struct kit kit;
  start(&kit);
  for (int turn = 1; turn <= 5; turn++) {
    struct call call = {.kit = &kit, .key = "a", .data = "abc", .leave = turn};
    put(&call);
    CU_ASSERT(call.left);
    CU_ASSERT_EQUAL(head(&kit, "a"), SLUICE_ENOENT);
  }
  end(&kit);
}

/* Then it is on its way: there or not, but whole. */
static void test_left_commit_ends(void) {
  struct kit kit;
  struct call call = {.kit = &kit, .key = "a", .data = "abc", .leave = 6};
  struct call read = {.kit = &kit, .key = "a", .count = UINT64_MAX};
  start(&kit);
  put(&call);
  CU_ASSERT(call.left);
  CU_ASSERT(get(&read) == SLUICE_ENOENT ||
            strstr(read.said.data, "\nabc") != NULL);
  buf_fini(&read.said);
  end(&kit);
}

static void test_left_get_ends(void) {
  struct kit kit;
  start(&kit);
  put_key(&kit, "a", "abc");
  for (int turn = 1; turn <= 3; turn++) {
    struct call call = {
        .kit = &kit, .key = "a", .count = UINT64_MAX, .leave = turn};
    get(&call);
    CU_ASSERT(call.left);
    buf_fini(&call.said);
  }
  end(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_goes_in_comes_out),
      UNIT(test_range_past_end_is_erange),
      UNIT(test_what_is_not_there_is_enoent),
      UNIT(test_exclusive_put_refuses_to_replace),
      UNIT(test_object_is_as_large_as_the_limit_and_no_larger),
      UNIT(test_list_folds_and_goes_on_where_it_stopped),
      UNIT(test_left_put_leaves_nothing),
      UNIT(test_left_commit_ends),
      UNIT(test_left_get_ends),
      {NULL, NULL}};
  return unit_main("skeleton", tests);
}
