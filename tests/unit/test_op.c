/* SPDX-License-Identifier: MIT
 *
 * Operations between the gateway and a plugin that keeps the rules of
 * <sluice/plugin.h>, or breaks them.
 */
#include "opkit.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* ---- what is right ------------------------------------------------------ */

static void test_each_kind_of_operation_runs_its_course(void) {
  static const struct {
    const char *want;
    struct op_script script;
  } rows[] = {
      {"<H!>md", {OP_HEAD, .start = "MD", .leave = -1}},
      {"<H!>d", {OP_HEAD, .start = "E", .leave = -1}},
      {"<G>m<R>c<O!>d",
       {OP_GET, .start = "M", .read = "L", .more = "D", .leave = -1}},
      {"<G>m<R>c<O>c<O>c<O!>d",
       {OP_GET, .start = "M", .read = "S", .more = "S|L|D", .leave = -1}},
      {"<G!>d", {OP_GET, .start = "E", .leave = -1}},
      {"<P>n<A>n<A>n<C!>d",
       {OP_PUT, .start = "N", .data = "N|N", .commit = "D", .chunks = 2,
        .leave = -1}},
      {"<P>n<A!>d",
       {OP_PUT, .start = "N", .data = "E", .chunks = 2, .leave = -1}},
      {"<P>n<A>n<C!>d",
       {OP_PUT, .start = "N", .data = "N", .commit = "E", .chunks = 1,
        .leave = -1}},
      {"<I!>d", {OP_LIST, .start = "eepuD", .leave = -1}},
      {"<V!>d", {OP_REMOVE, .start = "D", .leave = -1}},
      {"<Z!>d", {OP_PING, .start = "D", .leave = -1}},
      {"<F!>d", {OP_PRESIGN, .start = "tD", .leave = -1}},
      {"<Y!>d", {OP_VERIFY, .start = "tttD", .leave = -1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &rows[i].script);
    ROW(rig.line, strcmp(rig.line, rows[i].want) == 0);
    ROW(rows[i].want, rig.dones == 1 && rig.backend.misused == 0);
    CU_ASSERT_EQUAL(rig.backend.operations, 1);
    op_rig_fini(&rig);
  }
}

static void test_a_plugin_may_take_its_time(void) {
  static const struct {
    const char *want;
    struct op_script script;
  } rows[] = {
      {"<H>m!d", {OP_HEAD, .start = ";M;D", .leave = -1}},
      {"<G>m<R>c<O>c<O>!d",
       {OP_GET, .start = ";M", .read = ";S", .more = ";L|;D", .leave = -1}},
      {"<P>n<A>n<C>!d",
       {OP_PUT, .start = ";N", .data = ";N", .commit = ";D", .chunks = 1,
        .leave = -1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &rows[i].script);
    ROW(rig.line, strcmp(rig.line, rows[i].want) == 0);
    op_rig_fini(&rig);
  }
}

static void test_status_and_reason_arrive(void) {
  struct op_rig rig;
  op_rig_run(&rig, &(struct op_script){OP_REMOVE, .start = "E", .leave = -1});
  CU_ASSERT_EQUAL(rig.status, SLUICE_ENOENT);
  CU_ASSERT_STRING_EQUAL(rig.why, "no such thing");
  op_rig_fini(&rig);
}

static void test_what_is_not_offered_is_enotsup(void) {
  static const enum op_kind kinds[] = {OP_PRESIGN, OP_VERIFY};
  for (size_t i = 0; i < 2; i++) {
    struct op_rig rig;
    op_rig_init(&rig, &(struct op_script){kinds[i], .leave = -1});
    rig.plugin.presign = NULL;
    rig.plugin.verify = NULL;
    op_rig_start(&rig);
    op_rig_finish(&rig);
    CU_ASSERT_STRING_EQUAL(rig.line, "d");
    CU_ASSERT_EQUAL(rig.status, SLUICE_ENOTSUP);
    op_rig_fini(&rig);
  }
}

/* ---- what is wrong ------------------------------------------------------ */

static void test_what_is_said_out_of_turn_is_counted_and_dropped(void) {
  static const struct {
    const char *name, *want;
    uint64_t misused;
    struct op_script script;
  } rows[] = {
      {"done twice", "<H!!>md", 1, {OP_HEAD, .start = "MDE", .leave = -1}},
      {"done three times",
       "<V!!!>d",
       2,
       {OP_REMOVE, .start = "DDD", .leave = -1}},
      {"meta after done", "<H!>d", 1, {OP_HEAD, .start = "EM", .leave = -1}},
      {"meta twice", "<H!>md", 1, {OP_HEAD, .start = "MMD", .leave = -1}},
      {"meta in a put", "<P!>d", 1, {OP_PUT, .start = "ME", .leave = -1}},
      {"send before read",
       "<G>m<R>c<O!>d",
       1,
       {OP_GET, .start = "MS", .read = "L", .more = "D", .leave = -1}},
      {"send before meta",
       "<G>m<R>c<O!>d",
       1,
       {OP_GET, .start = "SM", .read = "L", .more = "D", .leave = -1}},
      {"send twice",
       "<G>m<R>c<O!>d",
       1,
       {OP_GET, .start = "M", .read = "LS", .more = "D", .leave = -1}},
      {"send after the last",
       "<G>m<R>c<O!>d",
       1,
       {OP_GET, .start = "M", .read = "L", .more = "SD", .leave = -1}},
      {"send in a head", "<H!>md", 1, {OP_HEAD, .start = "MSD", .leave = -1}},
      {"next in a get", "<G!>d", 1, {OP_GET, .start = "NE", .leave = -1}},
      {"next twice",
       "<P>n<A>n<C!>d",
       1,
       {OP_PUT, .start = "NN", .data = "N", .commit = "D", .chunks = 1,
        .leave = -1}},
      {"next twice after data",
       "<P>n<A>n<C!>d",
       1,
       {OP_PUT, .start = "N", .data = "NN", .commit = "D", .chunks = 1,
        .leave = -1}},
      {"next in commit",
       "<P>n<A>n<C!>d",
       1,
       {OP_PUT, .start = "N", .data = "N", .commit = "ND", .chunks = 1,
        .leave = -1}},
      {"entry after done", "<I!>d", 1, {OP_LIST, .start = "De", .leave = -1}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &rows[i].script);
    ROW(rows[i].name, strcmp(rig.line, rows[i].want) == 0);
    ROW(rows[i].name, rig.backend.misused == rows[i].misused);
    ROW(rows[i].name, rig.dones == 1);
    op_rig_fini(&rig);
  }
}

/* A chunk that the plugin lent goes back to it with its done: to show it
 * afterwards would be to read what may be freed. */
static void test_a_chunk_isnt_seen_after_its_lender_was_done(void) {
  struct op_rig rig;
  op_rig_run(&rig, &(struct op_script){OP_GET, .start = "M", .read = "LD",
                                       .leave = -1});
  CU_ASSERT_STRING_EQUAL(rig.line, "<G>m<R!>d");
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(rig.backend.misused, 1);
  op_rig_fini(&rig);
}

static void test_done_while_the_gateway_holds_a_chunk_is_a_failure(void) {
  struct op_rig rig;
  op_rig_run(&rig, &(struct op_script){OP_GET, .start = "M", .read = "L;D",
                                       .leave = -1, .hold = 'c'});
  CU_ASSERT_STRING_EQUAL(rig.line, "<G>m<R>c!d");
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(rig.backend.misused, 1);
  op_rig_fini(&rig);
}

static void test_a_put_that_is_done_before_its_commit_failed(void) {
  static const struct op_script rows[] = {
      {OP_PUT, .start = "D", .chunks = 1, .leave = -1},
      {OP_PUT, .start = "ND", .chunks = 1, .leave = -1},
      {OP_PUT, .start = "N", .data = "D", .chunks = 1, .leave = -1},
      {OP_PUT, .start = "N", .data = "ND", .chunks = 1, .leave = -1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &rows[i]);
    ROW(rig.line, rig.dones == 1 && rig.status == SLUICE_EUPSTREAM);
    ROW(rig.line, strchr(rig.line, 'C') == NULL);
    op_rig_fini(&rig);
  }
}

/* As often as it likes, from inside a call or later. */
static void test_a_long_commit_says_that_it_goes_on(void) {
  struct op_rig rig;
  op_rig_run(&rig,
             &(struct op_script){OP_PUT, .start = "N", .data = "vN",
                                 .commit = "v;v;D", .chunks = 1, .leave = -1});
  CU_ASSERT_STRING_EQUAL(rig.line, "<P>n<A>vn<C>vv!d");
  CU_ASSERT_EQUAL(rig.status, SLUICE_OK);
  CU_ASSERT_EQUAL(rig.backend.misused, 0);
  op_rig_fini(&rig);
}

/* The plugin may still read the chunk: what it says out of turn must not end
 * the put, after which the gateway frees it. */
static void test_nonsense_does_not_take_a_chunk_from_the_plugin(void) {
  static const char *const rows[] = {"e;N", "p;N", "u;N", "ttttttttt;N"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &(struct op_script){OP_PUT, .start = "N", .data = rows[i],
                                         .commit = "D", .cancel = ";D",
                                         .chunks = 1, .leave = -1});
    const char *done = strchr(rig.line, 'd'), *said = strchr(rig.line, '!');
    ROW(rows[i], done != NULL && said != NULL && said < done);
    ROW(rows[i], rig.backend.misused >= 1);
    op_rig_fini(&rig);
  }
}

/* ---- limits ------------------------------------------------------------- */

static void test_metadata_has_limits(void) {
  static char value[OP_META_MAX + 8];
  static struct sluice_pair pairs[OP_USER_MAX + 2];
  static const struct {
    size_t pairs, value; /* bytes of the first value */
    bool fine;
  } rows[] = {{0, 0, true},
              {OP_USER_MAX, 1, true},
              {OP_USER_MAX + 1, 1, false},
              {1, OP_META_MAX - 3, true}, /* with "n" and two NULs */
              {1, OP_META_MAX - 2, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_init(&rig, &(struct op_script){OP_HEAD, .start = "MD",
                                          .cancel = "D", .leave = -1});
    memset(value, 'v', sizeof value);
    value[rows[i].value] = '\0';
    for (size_t j = 0; j < rows[i].pairs; j++)
      pairs[j] = (struct sluice_pair){"n", j == 0 ? value : "v"};
    pairs[rows[i].pairs] = (struct sluice_pair){NULL, NULL};
    rig.meta.user = pairs;
    op_rig_start(&rig);
    op_rig_finish(&rig);
    CU_ASSERT_EQUAL(rig.dones, 1);
    CU_ASSERT_EQUAL(rig.status, rows[i].fine ? SLUICE_OK : SLUICE_EUPSTREAM);
    CU_ASSERT_EQUAL(strchr(rig.line, 'm') != NULL, rows[i].fine);
    if (rows[i].fine)
      CU_ASSERT_EQUAL(rig.seen_user, rows[i].pairs);
    op_rig_fini(&rig);
  }
}

static void test_too_much_metadata_ends_a_get_that_waits(void) {
  struct op_rig rig;
  op_rig_run(&rig, &(struct op_script){OP_GET, .start = "B", .cancel = ";D",
                                       .leave = -1});
  CU_ASSERT_STRING_EQUAL(rig.line, "<G>d<X>!");
  CU_ASSERT_EQUAL(rig.status, SLUICE_EUPSTREAM);
  op_rig_fini(&rig);
}

static void test_metadata_is_copied_as_far_as_the_plugin_knows_it(void) {
  struct op_rig rig;
  static const struct sluice_pair user[] = {{"a", "b"}, {NULL, NULL}};
  op_rig_init(&rig, &(struct op_script){OP_HEAD, .start = "MD", .leave = -1});
  rig.meta = (struct sluice_meta){.size = sizeof rig.meta,
                                  .length = 5,
                                  .mtime_ms = 7,
                                  .etag = "e",
                                  .type = "t",
                                  .user = user,
                                  .encoding = "gzip",
                                  .language = "de",
                                  .cache_control = "no-cache",
                                  .expires = "0",
                                  .md5 = "f"};
  op_rig_start(&rig);
  op_rig_finish(&rig);
  CU_ASSERT(rig.seen.length == 5 && rig.seen.mtime_ms == 7);
  CU_ASSERT_STRING_EQUAL(rig.seen_texts, "e t gzip de no-cache 0 f");
  CU_ASSERT_EQUAL(rig.seen_user, 1);
  op_rig_fini(&rig);

  op_rig_init(&rig, &(struct op_script){OP_HEAD, .start = "MD", .leave = -1});
  rig.meta.size = offsetof(struct sluice_meta, etag);
  rig.meta.length = 6;
  rig.meta.etag = "not known to this plugin";
  op_rig_start(&rig);
  op_rig_finish(&rig);
  CU_ASSERT_EQUAL(rig.seen.length, 6);
  CU_ASSERT_STRING_EQUAL(rig.seen_texts, "- - - - - - -");
  op_rig_fini(&rig);
}

/* With the header of 1.0, whose struct ends there. */
static void test_metadata_of_a_plugin_of_1_0_ends_with_its_pairs(void) {
  struct op_rig rig;
  op_rig_init(&rig, &(struct op_script){OP_HEAD, .start = "MD", .leave = -1});
  rig.meta =
      (struct sluice_meta){.size = offsetof(struct sluice_meta, encoding),
                           .etag = "e",
                           .type = "t",
                           .encoding = "not known to this plugin"};
  op_rig_start(&rig);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.seen_texts, "e t - - - - -");
  op_rig_fini(&rig);
}

static void test_texts_that_are_none_are_left_out(void) {
  struct op_rig rig;
  op_rig_init(&rig, &(struct op_script){OP_HEAD, .start = "MD", .leave = -1});
  rig.meta = (struct sluice_meta){.size = sizeof rig.meta,
                                  .etag = "a\nb",
                                  .type = "t",
                                  .encoding = "gzip\r\nX: y",
                                  .language = "\xff",
                                  .cache_control = "\x7f",
                                  .expires = "0",
                                  .md5 = "\n"};
  op_rig_start(&rig);
  op_rig_finish(&rig);
  CU_ASSERT_STRING_EQUAL(rig.seen_texts, "- t - - - 0 -");
  op_rig_fini(&rig);
}

static void test_a_list_has_at_most_1000_entries(void) {
  static const struct {
    const char *start;
    size_t entries;
    enum sluice_status status;
  } rows[] = {{"D", 0, SLUICE_OK},
              {"eepD", 3, SLUICE_OK},
              {"kD", 1000, SLUICE_OK},
              {"keD", 1000, SLUICE_EUPSTREAM},
              {"kpD", 1000, SLUICE_EUPSTREAM}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    op_rig_run(&rig, &(struct op_script){OP_LIST, .start = rows[i].start,
                                         .leave = -1});
    ROW(rows[i].start, rig.entries == rows[i].entries);
    ROW(rows[i].start, rig.status == rows[i].status && rig.dones == 1);
    op_rig_fini(&rig);
  }
}

static void test_texts_and_tokens_have_limits(void) {
  static const struct {
    const char *start;
    size_t text, token; /* lengths */
    enum sluice_status status;
  } rows[] = {{"ttttttttD", 1, 1, SLUICE_OK},
              {"tttttttttD", 1, 1, SLUICE_EUPSTREAM},
              {"tD", OP_TEXT_MAX, 1, SLUICE_OK},
              {"tD", OP_TEXT_MAX + 1, 1, SLUICE_EUPSTREAM},
              {"tD", 0, 1, SLUICE_OK},
              {"uD", 1, 4096, SLUICE_OK},
              {"uD", 1, 4097, SLUICE_EUPSTREAM},
              {"uuD", 1, 1, SLUICE_EUPSTREAM}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct op_rig rig;
    char *text = malloc(rows[i].text + 1), *token = malloc(rows[i].token + 1);
    memset(text, 't', rows[i].text);
    memset(token, 'u', rows[i].token);
    text[rows[i].text] = token[rows[i].token] = '\0';
    op_rig_init(&rig, &(struct op_script){OP_LIST, .start = rows[i].start,
                                          .leave = -1});
    rig.text = text;
    rig.token = token;
    op_rig_start(&rig);
    op_rig_finish(&rig);
    ROW(rows[i].start, rig.status == rows[i].status && rig.dones == 1);
    op_rig_fini(&rig);
    free(text);
    free(token);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_kind_of_operation_runs_its_course),
      UNIT(test_a_plugin_may_take_its_time),
      UNIT(test_status_and_reason_arrive),
      UNIT(test_what_is_not_offered_is_enotsup),
      UNIT(test_what_is_said_out_of_turn_is_counted_and_dropped),
      UNIT(test_a_chunk_isnt_seen_after_its_lender_was_done),
      UNIT(test_done_while_the_gateway_holds_a_chunk_is_a_failure),
      UNIT(test_a_put_that_is_done_before_its_commit_failed),
      UNIT(test_a_long_commit_says_that_it_goes_on),
      UNIT(test_nonsense_does_not_take_a_chunk_from_the_plugin),
      UNIT(test_metadata_has_limits),
      UNIT(test_too_much_metadata_ends_a_get_that_waits),
      UNIT(test_metadata_is_copied_as_far_as_the_plugin_knows_it),
      UNIT(test_metadata_of_a_plugin_of_1_0_ends_with_its_pairs),
      UNIT(test_texts_that_are_none_are_left_out),
      UNIT(test_a_list_has_at_most_1000_entries),
      UNIT(test_texts_and_tokens_have_limits),
      {NULL, NULL}};
  return unit_main("op", tests);
}
