/* SPDX-License-Identifier: MIT
 *
 * Configuration files as trees: lines, variables, what is refused, and the
 * limits.
 */
#include "config.h"
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static struct config *parse(const char *text, struct errmsg *err) {
  err->text[0] = '\0';
  return config_parse("t.yaml", text, strlen(text), err);
}

/* The message for a text that is refused. */
static void check_refused(const char *text, const char *want) {
  struct errmsg err;
  struct config *config = parse(text, &err);
  CU_ASSERT_PTR_NULL(config);
  ROW(err.text, strcmp(err.text, want) == 0);
  config_free(config);
}

static void test_nodes_know_their_lines(void) {
  struct errmsg err;
  struct config *config =
      parse("# first\na: 1\nb:\n  - x\n  - {c: d}\n", &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  const struct config_node *b = config_get(config->root, "b");
  CU_ASSERT_PTR_NOT_NULL_FATAL(b);
  CU_ASSERT_EQUAL(config->root->kind, CONFIG_MAPPING);
  CU_ASSERT_EQUAL(config->root->keys[1].line, 3);
  CU_ASSERT_EQUAL(config_get(config->root, "a")->line, 2);
  CU_ASSERT_EQUAL(b->kind, CONFIG_SEQUENCE);
  CU_ASSERT_EQUAL(b->count, 2);
  CU_ASSERT_EQUAL(b->items[0].line, 4);
  CU_ASSERT_STRING_EQUAL(b->items[0].text, "x");
  CU_ASSERT_EQUAL(b->items[1].line, 5);
  CU_ASSERT_STRING_EQUAL(config_get(&b->items[1], "c")->text, "d");
  CU_ASSERT_PTR_NULL(config_get(config->root, "c"));
  CU_ASSERT_PTR_NULL(config_get(b, "c"));
  config_free(config);
}

static void test_only_unquoted_words_are_null(void) {
  static const struct {
    const char *in;
    bool null;
  } rows[] = {{"a:", true},       {"a: ~", true},       {"a: null", true},
              {"a: ''", false},   {"a: \"~\"", false},  {"a: 'null'", false},
              {"a: Null", false}, {"a: ${E:-}", false}, {"a: nulls", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err;
    struct config *config = parse(rows[i].in, &err);
    ROW(rows[i].in,
        config != NULL && config_get(config->root, "a")->null == rows[i].null);
    config_free(config);
  }
}

static void test_variables_are_replaced(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {
      {"${T_ONE}", "one"},
      {"a${T_ONE}b${T_ONE}c", "aonebonec"},
      {"${T_NONE:-d}", "d"},
      {"${T_NONE:-}", ""},
      {"${T_EMPTY}", ""},
      {"${T_EMPTY:-d}", "d"},
      {"${T_ONE:-d}", "one"},
      {"${T_NONE:-http://h:1/?a=$b}", "http://h:1/?a=$b"},
      {"${T_DOLLAR}", "${T_ONE}"},
      {"$", "$"},
      {"a$", "a$"},
      {"$T_ONE", "$T_ONE"},
      {"$$", "$$"},
      {"$${T_ONE}", "${T_ONE}"},
      {"$$${T_ONE}", "$${T_ONE}"},
      {"$${", "${"},
      {"}", "}"},
      {"${T_NONE:-a:-b}", "a:-b"},
  };
  setenv("T_ONE", "one", 1);
  setenv("T_EMPTY", "", 1);
  setenv("T_DOLLAR", "${T_ONE}", 1);
  unsetenv("T_NONE");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[128];
    struct errmsg err;
    snprintf(text, sizeof text, "k: '%s'", rows[i].in);
    struct config *config = parse(text, &err);
    ROW(rows[i].in,
        config != NULL &&
            strcmp(config_get(config->root, "k")->text, rows[i].want) == 0);
    config_free(config);
  }
}

static void test_variables_are_replaced_in_keys_and_items(void) {
  struct errmsg err;
  setenv("T_ONE", "one", 1);
  struct config *config = parse("\"${T_ONE}\": [\"${T_ONE}\"]", &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  const struct config_node *list = config_get(config->root, "one");
  CU_ASSERT_PTR_NOT_NULL_FATAL(list);
  CU_ASSERT_STRING_EQUAL(list->items[0].text, "one");
  config_free(config);
}

static void test_bad_variables_are_refused(void) {
  unsetenv("T_NONE");
  check_refused("a: 1\nb: ${T_NONE}\n",
                "t.yaml:2: ${T_NONE} is not set; set it in the environment, "
                "or write ${T_NONE:-default}");
  check_refused("a: ${T_NONE\n", "t.yaml:1: '${' without '}'; close it, or "
                                 "write $${ for the text ${");
  check_refused("a: ${}\n", "t.yaml:1: '${' without a name after it; write "
                            "${NAME}, or $${ for the text ${");
  check_refused("a: ${1A}\n", "t.yaml:1: '${' without a name after it; write "
                              "${NAME}, or $${ for the text ${");
  check_refused("a: ${T-x}\n", "t.yaml:1: '${T' goes on strangely; write "
                               "${NAME} or ${NAME:-default}");
  check_refused("a: ${T:x}\n", "t.yaml:1: '${T' goes on strangely; write "
                               "${NAME} or ${NAME:-default}");
  check_refused("a: ${T_NONE:-${T_ONE}}\n",
                "t.yaml:1: the default of ${T_NONE} holds another ${; write a "
                "plain text");
}

static void test_what_is_not_yaml_is_refused(void) {
  check_refused("a: 1\n\tb: 2\n",
                "t.yaml:2: not YAML: found a tab character that violates "
                "indentation; write spaces instead of the tab");
  check_refused("a: [1\n", "t.yaml:2: not YAML: did not find expected ',' or "
                           "']'; look at the end of the file");
  check_refused("a: {b: ${X}}\n",
                "t.yaml:1: not YAML: did not find expected ',' or '}'; put "
                "quotes around a value that has ${...}");
  check_refused("a: b: c\n",
                "t.yaml:1: not YAML: mapping values are not allowed in this "
                "context; look at the indentation, quotes and brackets up to "
                "here");
  check_refused("a: 1\nb: \xff\n", "t.yaml:2: not YAML: invalid leading UTF-8 "
                                   "octet; write the file in UTF-8");
}

static void test_what_is_yaml_but_not_ours_is_refused(void) {
  static const char empty[] = "t.yaml:1: the file is empty; example.yaml "
                              "beside sluice.yaml shows every key";
  check_refused("", empty);
  check_refused("a: 1\n---\nb: 2\n",
                "t.yaml:2: a second document begins; a file holds one");
  check_refused("a: &x 1\n", "t.yaml:1: anchors (&name) are not read; remove "
                             "it and write the value where it is needed");
  check_refused("a: *x\n", "t.yaml:1: aliases (*name) are not read; write the "
                           "value itself, or quote the *");
  check_refused("a: !!int 1\n",
                "t.yaml:1: tags (!name) are not read; remove it");
  check_refused("[a]: 1\n",
                "t.yaml:1: a key is a plain word; write key: value");
  check_refused("~: 1\n", "t.yaml:1: a key is a plain word; write key: value");
  check_refused("a: \"x\\0y\"\n", "t.yaml:1: a text holds a NUL; remove it");
}

static void test_key_twice_is_refused(void) {
  check_refused("a: 1\nb: 2\n'a': 3\n",
                "t.yaml:3: key 'a' is here twice, first in line 1; remove "
                "one");
  struct errmsg err;
  struct config *config = parse("a: {b: 1}\nb: {b: 1}\n", &err);
  CU_ASSERT_PTR_NOT_NULL(config);
  config_free(config);
}

static void test_messages_stay_on_one_line(void) {
  check_refused("\"a\\nb\": 1\n\"a\\nb\": 1\n",
                "t.yaml:2: key 'a?b' is here twice, first in line 1; remove "
                "one");
}

static void test_secret_in_a_variable_is_in_no_message(void) {
  struct errmsg err;
  setenv("T_SECRET", "hush", 1);
  struct config *config = parse("a: ${T_SECRET}x${T_NONE:-hush${}\n", &err);
  CU_ASSERT_PTR_NULL(config);
  CU_ASSERT_PTR_NULL(strstr(err.text, "hush"));
  config_free(config);
}

/* ---- limits ------------------------------------------------------------ */

/* A text of `size` times `c` between head and tail. */
static char *repeat(const char *head, const char *unit, size_t count,
                    const char *tail) {
  size_t step = strlen(unit), at = strlen(head);
  char *text = malloc(at + step * count + strlen(tail) + 1);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  memcpy(text, head, at);
  for (size_t i = 0; i < count; i++, at += step)
    memcpy(text + at, unit, step);
  memcpy(text + at, tail, strlen(tail) + 1);
  return text;
}

static bool taken(char *text, struct errmsg *err) {
  struct config *config = parse(text, err);
  bool ok = config != NULL;
  config_free(config);
  free(text);
  return ok;
}

static void test_file_has_a_limit(void) {
  struct errmsg err;
  CU_ASSERT_TRUE(taken(repeat("a: 1", "\n", CONFIG_FILE_MAX - 4, ""), &err));
  CU_ASSERT_FALSE(taken(repeat("a: 1", "\n", CONFIG_FILE_MAX - 3, ""), &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml: longer than 1048576 bytes; shorten it");
}

static bool nested(size_t depth, struct errmsg *err) {
  char *open = repeat("", "[", depth, "");
  char *text = repeat(open, "]", depth, "");
  free(open);
  return taken(text, err);
}

static void test_depth_has_a_limit(void) {
  struct errmsg err;
  CU_ASSERT_TRUE(nested(CONFIG_DEPTH_MAX, &err));
  CU_ASSERT_FALSE(nested(CONFIG_DEPTH_MAX + 1, &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:1: nested deeper than 32 levels; flatten it");
  CU_ASSERT_FALSE(nested(100000, &err));
}

static void test_nodes_have_a_limit(void) {
  struct errmsg err;
  /* The list is a node too. */
  CU_ASSERT_TRUE(taken(repeat("", "- a\n", CONFIG_NODES_MAX - 1, ""), &err));
  CU_ASSERT_FALSE(taken(repeat("", "- a\n", CONFIG_NODES_MAX, ""), &err));
  CU_ASSERT_STRING_EQUAL(
      err.text, "t.yaml:65536: more than 65536 values; shorten the file");
}

static void test_scalar_has_a_limit(void) {
  struct errmsg err;
  CU_ASSERT_TRUE(taken(repeat("a: ", "x", CONFIG_SCALAR_MAX, ""), &err));
  CU_ASSERT_FALSE(taken(repeat("a: ", "x", CONFIG_SCALAR_MAX + 1, ""), &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:1: text is longer than 65536 bytes with its "
                         "variables replaced; shorten it");
}

static void test_scalar_limit_holds_after_replacement(void) {
  struct errmsg err;
  char *value = repeat("", "x", CONFIG_SCALAR_MAX, "");
  setenv("T_LONG", value, 1);
  free(value);
  CU_ASSERT_TRUE(taken(strdup("a: ${T_LONG}"), &err));
  CU_ASSERT_FALSE(taken(strdup("a: ${T_LONG}y"), &err));
  unsetenv("T_LONG");
}

static void test_all_text_has_a_limit(void) {
  struct errmsg err;
  size_t items = CONFIG_TEXT_MAX / CONFIG_SCALAR_MAX;
  char *value = repeat("", "x", CONFIG_SCALAR_MAX, "");
  setenv("T_LONG", value, 1);
  free(value);
  CU_ASSERT_TRUE(taken(repeat("", "- ${T_LONG}\n", items, ""), &err));
  CU_ASSERT_FALSE(taken(repeat("", "- ${T_LONG}\n", items, "- y\n"), &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "t.yaml:65: all texts together are longer than "
                         "4194304 bytes; shorten the variables");
  unsetenv("T_LONG");
}

/* ---- files ------------------------------------------------------------- */

static void test_file_is_loaded(void) {
  char file[] = "/tmp/sluice-config-XXXXXX";
  struct errmsg err;
  int fd = mkstemp(file);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  CU_ASSERT_EQUAL(write(fd, "a: b\n", 5), 5);
  close(fd);
  struct config *config = config_load(file, &err);
  unlink(file);
  CU_ASSERT_PTR_NOT_NULL_FATAL(config);
  CU_ASSERT_STRING_EQUAL(config->file, file);
  CU_ASSERT_STRING_EQUAL(config_get(config->root, "a")->text, "b");
  config_free(config);
}

static void test_file_that_cannot_be_read_is_named(void) {
  struct errmsg err;
  CU_ASSERT_PTR_NULL(config_load("/nowhere/x.yaml", &err));
  CU_ASSERT_STRING_EQUAL(err.text,
                         "/nowhere/x.yaml: cannot be read: No such file or "
                         "directory; name a file with -c FILE");
  CU_ASSERT_PTR_NULL(config_load("/tmp", &err));
  CU_ASSERT_STRING_EQUAL(err.text, "/tmp: cannot be read: Is a directory; "
                                   "name a file with -c FILE");
}

static void test_same_is_what_says_the_same_on_whatever_line(void) {
  static const struct {
    const char *one, *other;
    bool same;
  } rows[] = {
      {"a: 1", "\n# b\na:  1", true}, {"a: 1", "a: 2", false},
      {"a: 1", "b: 1", false},        {"a: [1, 2]", "a:\n- 1\n- 2", true},
      {"a: [1, 2]", "a: [1]", false}, {"a: [1]", "a: {b: 1}", false},
      {"a: ~", "a: ", true},          {"a: ~", "a: \"\"", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err;
    struct config *one =
        config_parse("f", rows[i].one, strlen(rows[i].one), &err);
    struct config *other =
        config_parse("f", rows[i].other, strlen(rows[i].other), &err);
    ROW(rows[i].other, config_same(one->root, other->root) == rows[i].same);
    config_free(one);
    config_free(other);
  }
  CU_ASSERT_TRUE(config_same(NULL, NULL));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_nodes_know_their_lines),
      UNIT(test_only_unquoted_words_are_null),
      UNIT(test_variables_are_replaced),
      UNIT(test_variables_are_replaced_in_keys_and_items),
      UNIT(test_bad_variables_are_refused),
      UNIT(test_what_is_not_yaml_is_refused),
      UNIT(test_what_is_yaml_but_not_ours_is_refused),
      UNIT(test_key_twice_is_refused),
      UNIT(test_messages_stay_on_one_line),
      UNIT(test_secret_in_a_variable_is_in_no_message),
      UNIT(test_file_has_a_limit),
      UNIT(test_depth_has_a_limit),
      UNIT(test_nodes_have_a_limit),
      UNIT(test_scalar_has_a_limit),
      UNIT(test_scalar_limit_holds_after_replacement),
      UNIT(test_all_text_has_a_limit),
      UNIT(test_file_is_loaded),
      UNIT(test_same_is_what_says_the_same_on_whatever_line),
      UNIT(test_file_that_cannot_be_read_is_named),
      {NULL, NULL},
  };
  return unit_main("config", tests);
}
