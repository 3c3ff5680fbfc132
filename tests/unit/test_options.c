/* SPDX-License-Identifier: MIT
 *
 * Option tables: every type, defaults, what is refused with which words, and
 * tables that are wrong themselves.
 */
#include "options.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

struct conf {
  const char *endpoint, *secret;
  bool sync;
  int64_t retries, timeout;
  uint64_t part;
  const char *const *hosts;
};

#define CONF(f) offsetof(struct conf, f)

static const struct sluice_option table[] = {
    {"endpoint", SLUICE_STRING, "here", CONF(endpoint), "where it is"},
    {"secret_key", SLUICE_SECRET, "", CONF(secret), "signs"},
    {"sync", SLUICE_BOOL, "true", CONF(sync), "wait"},
    {"retries", SLUICE_INT, "3", CONF(retries), "how often"},
    {"timeout", SLUICE_TIME, "30s", CONF(timeout), "each"},
    {"part", SLUICE_SIZE, "8MiB", CONF(part), "bytes of one"},
    {"hosts", SLUICE_LIST, "[a, b]", CONF(hosts), "to try"},
    {0}};

/* Fills conf from YAML; NULL and err when it is refused.  Strings point into
 * the returned config. */
static struct config *fill(const struct sluice_option *options,
                           const char *const *others, const char *text,
                           struct conf *conf, struct errmsg *err) {
  struct config *config = config_parse("t.yaml", text, strlen(text), err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  *conf = (struct conf){0};
  err->text[0] = '\0';
  if (options_fill(options, others, config, config->root, "backend 'main'",
                   conf, err))
    return config;
  config_free(config);
  return NULL;
}

static void check_refused(const char *text, const char *want) {
  struct errmsg err;
  struct conf conf;
  struct config *config = fill(table, NULL, text, &conf, &err);
  CU_ASSERT_PTR_NULL(config);
  ROW(err.text, strcmp(err.text, want) == 0);
  config_free(config);
}

static void test_each_type_is_read(void) {
  struct errmsg err;
  struct conf conf;
  struct config *config =
      fill(table, NULL,
           "endpoint: http://x\nsecret_key: s\nsync: false\nretries: -12\n"
           "timeout: \"250ms\"\npart: 64KiB\nhosts: [x, 'y z']\n",
           &conf, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  CU_ASSERT_STRING_EQUAL(conf.endpoint, "http://x");
  CU_ASSERT_STRING_EQUAL(conf.secret, "s");
  CU_ASSERT_FALSE(conf.sync);
  CU_ASSERT_EQUAL(conf.retries, -12);
  CU_ASSERT_EQUAL(conf.timeout, 250);
  CU_ASSERT_EQUAL(conf.part, 65536);
  CU_ASSERT_STRING_EQUAL(conf.hosts[0], "x");
  CU_ASSERT_STRING_EQUAL(conf.hosts[1], "y z");
  CU_ASSERT_PTR_NULL(conf.hosts[2]);
  config_free(config);
}

static void test_missing_keys_get_their_defaults(void) {
  struct errmsg err;
  struct conf conf;
  struct config *config = fill(table, NULL, "~", &conf, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  CU_ASSERT_STRING_EQUAL(conf.endpoint, "here");
  CU_ASSERT_STRING_EQUAL(conf.secret, "");
  CU_ASSERT_TRUE(conf.sync);
  CU_ASSERT_EQUAL(conf.retries, 3);
  CU_ASSERT_EQUAL(conf.timeout, 30000);
  CU_ASSERT_EQUAL(conf.part, 8388608);
  CU_ASSERT_STRING_EQUAL(conf.hosts[0], "a");
  CU_ASSERT_STRING_EQUAL(conf.hosts[1], "b");
  CU_ASSERT_PTR_NULL(conf.hosts[2]);
  config_free(config);
}

static void test_list_may_be_empty(void) {
  static const struct sluice_option list[] = {
      {"hosts", SLUICE_LIST, "", CONF(hosts), "to try"}, {0}};
  struct errmsg err;
  struct conf conf;
  struct config *config = fill(table, NULL, "hosts: []", &conf, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  CU_ASSERT_PTR_NULL(conf.hosts[0]);
  config_free(config);
  config = fill(list, NULL, "{}", &conf, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  CU_ASSERT_PTR_NOT_NULL_FATAL(conf.hosts);
  CU_ASSERT_PTR_NULL(conf.hosts[0]);
  config_free(config);
}

static void test_missing_mapping_gets_all_defaults(void) {
  struct errmsg err;
  struct conf conf = {0};
  struct config *config = config_parse("t.yaml", "a: 1", 4, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  CU_ASSERT_TRUE(
      options_fill(table, NULL, config, NULL, "limits", &conf, &err));
  CU_ASSERT_EQUAL(conf.retries, 3);
  config_free(config);
}

static void test_bad_values_are_refused(void) {
  check_refused("sync: yes", "t.yaml:1: 'sync': 'yes' is no bool; write "
                             "true or false");
  check_refused("sync: True", "t.yaml:1: 'sync': 'True' is no bool; write "
                              "true or false");
  check_refused("retries: 1.5", "t.yaml:1: 'retries': '1.5' is no int; "
                                "write a whole number, as in 12");
  check_refused("part: 50MB", "t.yaml:1: 'part': '50MB' is no size; write "
                              "a size with its unit, as in 64KiB or 50MiB");
  check_refused("part: 5", "t.yaml:1: 'part': '5' is no size; write a size "
                           "with its unit, as in 64KiB or 50MiB");
  check_refused("a: 1\ntimeout: 5", "t.yaml:1: unknown key 'a' in backend "
                                    "'main'; known: endpoint, secret_key, "
                                    "sync, retries, timeout, part, hosts");
  check_refused("sync: true\ntimeout: 5",
                "t.yaml:2: 'timeout': '5' is no time; write a time with "
                "its unit, as in 250ms, 30s or 1h");
  check_refused("hosts: a", "t.yaml:1: 'hosts': 'a' is no list; write a "
                            "list, as in [a, b]");
  check_refused("hosts: [a, [b]]", "t.yaml:1: 'hosts': item 2 is not a text; "
                                   "write a list, as in [a, b]");
  check_refused("hosts: [a, ~]", "t.yaml:1: 'hosts': item 2 is not a text; "
                                 "write a list, as in [a, b]");
  check_refused("endpoint: [a]", "t.yaml:1: 'endpoint': a list is here; write "
                                 "a text");
  check_refused("endpoint: {a: b}", "t.yaml:1: 'endpoint': a mapping is here; "
                                    "write a text");
  check_refused("endpoint:", "t.yaml:1: 'endpoint': has no value; write a "
                             "text, or remove the line");
  check_refused("[a]", "t.yaml:1: backend 'main' is not a mapping; write "
                       "lines of key: value");
}

static void test_unknown_key_names_the_nearest(void) {
  check_refused("sync: true\nenpoint: x",
                "t.yaml:2: unknown key 'enpoint' in backend 'main'; did you "
                "mean 'endpoint'?");
}

static void test_required_key_is_named_with_its_help(void) {
  static const struct sluice_option required[] = {
      {"region", SLUICE_STRING, "", 0, "which part of the world"},
      {"bucket", SLUICE_STRING, NULL, 0, "where objects are"},
      {0}};
  struct errmsg err;
  struct conf conf;
  CU_ASSERT_PTR_NULL(fill(required, NULL, "\nregion: x", &conf, &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:2: backend 'main' needs 'bucket' (where "
                         "objects are); write a text");
}

static void test_others_are_known(void) {
  static const char *const others[] = {"plugin", NULL};
  struct errmsg err;
  struct conf conf;
  struct config *config =
      fill(table, others, "plugin: [x]\nsync: false", &conf, &err);
  CU_ASSERT_PTR_NOT_NULL(config);
  CU_ASSERT_FALSE(conf.sync);
  config_free(config);
  CU_ASSERT_PTR_NULL(fill(table, others, "plugn: x", &conf, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "did you mean 'plugin'?"));
}

static void test_secret_is_in_no_message(void) {
  static const char *const rows[] = {
      "secret_key: [hush]", "secret_key: {hush: hush}", "secret_key: ~",
      "secret_key: hush\nsync: x", "secret_kye: hush"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err;
    struct conf conf;
    ROW(rows[i], fill(table, NULL, rows[i], &conf, &err) == NULL);
    ROW(err.text, strstr(err.text, "hush") == NULL && *err.text != '\0');
  }
}

/* ---- words ------------------------------------------------------------- */

static void test_nearest_word_is_found(void) {
  static const char *const words[] = {
      "endpoint", "region", "bucket", "listen", "min", "max", "default", NULL};
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"enpoint", "endpoint"},
      {"endpiont", "endpoint"},
      {"ENDPOINT", "endpoint"},
      {"endpoints", "endpoint"},
      {"regoin", "region"},
      {"buckte", "bucket"},
      {"lisen", "listen"},
      {"mix", "min"},
      {"mxa", "max"},
      {"zzzzzz", NULL},
      {"", NULL},
      {"m", NULL},
      {"host", NULL},
      {"defualt", "default"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *got = words_nearest(rows[i].in, words);
    ROW(rows[i].in, rows[i].want == NULL
                        ? got == NULL
                        : got != NULL && strcmp(got, rows[i].want) == 0);
  }
}

static void test_nearest_has_a_limit(void) {
  char word[OPTIONS_NAME_MAX + 2], near[OPTIONS_NAME_MAX + 1];
  const char *const words[] = {near, NULL};
  memset(word, 'x', sizeof word);
  memset(near, 'x', sizeof near);
  near[OPTIONS_NAME_MAX] = '\0';
  word[OPTIONS_NAME_MAX] = '\0';
  CU_ASSERT_PTR_EQUAL(words_nearest(word, words), near);
  word[OPTIONS_NAME_MAX] = 'x';
  word[OPTIONS_NAME_MAX + 1] = '\0';
  CU_ASSERT_PTR_NULL(words_nearest(word, words));
}

static void test_join_is_cut_at_a_word(void) {
  static const char *const words[] = {"alpha", "beta", "gamma", NULL};
  char out[64];
  words_join(out, sizeof out, words);
  CU_ASSERT_STRING_EQUAL(out, "alpha, beta, gamma");
  words_join(out, 20, words);
  CU_ASSERT_STRING_EQUAL(out, "alpha, beta, ...");
  words_join(out, 8, words);
  CU_ASSERT_STRING_EQUAL(out, "...");
}

/* ---- tables ------------------------------------------------------------ */

static void test_good_table_is_taken(void) {
  static const char *const others[] = {"plugin", NULL};
  struct errmsg err;
  CU_ASSERT_TRUE(options_check(table, others, sizeof(struct conf), &err));
}

static void test_bad_table_is_refused(void) {
  static const struct {
    struct sluice_option option;
    const char *want;
  } rows[] = {
      {{"A", SLUICE_BOOL, "true", 0, "h"},
       "option 'A' has a bad name; use [a-z0-9_]"},
      {{"", SLUICE_BOOL, "true", 0, "h"},
       "option '' has a bad name; use [a-z0-9_]"},
      {{"a", SLUICE_BACKEND_NAMES + 1, "true", 0, "h"},
       "option 'a' has an unknown type; use one of enum sluice_type"},
      {{"a", -1, "true", 0, "h"},
       "option 'a' has an unknown type; use one of enum sluice_type"},
      {{"a", SLUICE_BOOL, "true", 0, NULL},
       "option 'a' has no help; say in a line what it is"},
      {{"a", SLUICE_BOOL, "true", 16, "h"},
       "option 'a' lies outside of its struct; check offset and conf_size"},
      {{"a", SLUICE_INT, "1", 9, "h"},
       "option 'a' lies outside of its struct; check offset and conf_size"},
      {{"a", SLUICE_INT, "1", 4, "h"},
       "option 'a' lies outside of its struct; check offset and conf_size"},
      {{"a", SLUICE_INT, "1", SIZE_MAX, "h"},
       "option 'a' lies outside of its struct; check offset and conf_size"},
      {{"a", SLUICE_SIZE, "1", 0, "h"},
       "option 'a' has a default that is no size; write a size with its "
       "unit, as in 64KiB or 50MiB"},
      {{"a", SLUICE_LIST, "x", 0, "h"},
       "option 'a' has a default that is no list; write a list, as in [a, "
       "b]"},
      {{"plugin", SLUICE_STRING, "x", 0, "h"},
       "option 'plugin' is taken; give it another name"},
  };
  static const char *const others[] = {"plugin", NULL};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct sluice_option options[] = {rows[i].option, {0}};
    struct errmsg err;
    ROW(rows[i].want, !options_check(options, others, 16, &err));
    ROW(err.text, strcmp(err.text, rows[i].want) == 0);
  }
}

static void test_name_twice_is_refused(void) {
  static const struct sluice_option twice[] = {
      {"a", SLUICE_BOOL, "true", 0, "h"},
      {"a", SLUICE_BOOL, "true", 0, "h"},
      {0}};
  struct errmsg err;
  CU_ASSERT_FALSE(options_check(twice, NULL, 1, &err));
}

static void test_table_has_a_limit(void) {
  struct sluice_option many[OPTIONS_MAX + 2] = {{0}};
  char names[OPTIONS_MAX + 1][8];
  struct errmsg err;
  for (size_t i = 0; i <= OPTIONS_MAX; i++) {
    snprintf(names[i], sizeof names[i], "n%u", (unsigned)(i % 1000));
    many[i] = (struct sluice_option){names[i], SLUICE_BOOL, "true", 0, "h"};
  }
  CU_ASSERT_FALSE(options_check(many, NULL, 1, &err));
  CU_ASSERT_STRING_EQUAL(err.text, "more than 128 options; drop some");
  many[OPTIONS_MAX].name = NULL;
  CU_ASSERT_TRUE(options_check(many, NULL, 1, &err));
  struct conf conf;
  struct config *config = fill(many, NULL, "n127: false", &conf, &err);
  CU_ASSERT_PTR_NOT_NULL(config);
  config_free(config);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_type_is_read),
      UNIT(test_missing_keys_get_their_defaults),
      UNIT(test_list_may_be_empty),
      UNIT(test_missing_mapping_gets_all_defaults),
      UNIT(test_bad_values_are_refused),
      UNIT(test_unknown_key_names_the_nearest),
      UNIT(test_required_key_is_named_with_its_help),
      UNIT(test_others_are_known),
      UNIT(test_secret_is_in_no_message),
      UNIT(test_nearest_word_is_found),
      UNIT(test_nearest_has_a_limit),
      UNIT(test_join_is_cut_at_a_word),
      UNIT(test_good_table_is_taken),
      UNIT(test_bad_table_is_refused),
      UNIT(test_name_twice_is_refused),
      UNIT(test_table_has_a_limit),
      {NULL, NULL},
  };
  return unit_main("options", tests);
}
