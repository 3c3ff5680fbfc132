/* SPDX-License-Identifier: MIT
 *
 * A script without memory: whichever of its allocations is the first to fail,
 * it is an error of that call, and the script goes on afterwards.
 */
#include "script.h"
#include "unit.h"

#include <string.h>

#define STEPS 100000

static const char script_text[] =
    "local words = {}\n"
    "for word in ('one two three'):gmatch('%a+') do\n"
    "  words[#words + 1] = word:upper()\n"
    "end\n"
    "function on_request()\n"
    "  local text = table.concat(words, ',')\n"
    "  text = text:gsub('%w', function(c) return c .. c end)\n"
    "  local all = {}\n"
    "  for i = 1, 30 do all[i] = {text .. i, (' '):rep(i)} end\n"
    "  return #all == 30 and text:find('TTHHRREEEE', 1, true) ~= nil\n"
    "end\n";

/* An object that nobody looks into. */
static struct sluice_request *nobody(void) {
  static char it;
  return (struct sluice_request *)(void *)&it;
}

static struct script *script_of(size_t memory, struct errmsg *err) {
  return script_new(NULL, "s.lua", script_text, strlen(script_text), memory,
                    STEPS, err);
}

static bool is_lack(const struct errmsg *err) {
  return strstr(err->text, "there is no memory") != NULL ||
         strstr(err->text, "needs more memory than the option memory") != NULL;
}

/* The least memory with which it is loaded. */
static size_t first_that_loads(void) {
  for (size_t memory = 0; memory < ALLOWANCE_MEMORY_MIN; memory += 24) {
    struct errmsg err = {""};
    struct script *script = script_of(memory, &err);
    if (script != NULL) {
      script_free(script);
      return memory;
    }
    CU_ASSERT_FATAL(is_lack(&err));
  }
  return ALLOWANCE_MEMORY_MIN;
}

static void test_script_loads_with_the_least_memory_or_says_why(void) {
  size_t memory = first_that_loads();
  CU_ASSERT(memory > 4096);
  CU_ASSERT(memory < ALLOWANCE_MEMORY_MIN / 2);
}

static void test_call_without_memory_fails_and_the_next_may_succeed(void) {
  unsigned failed = 0;
  enum sluice_verdict verdict = SLUICE_PASS;
  size_t memory = first_that_loads();
  for (; memory < ALLOWANCE_MEMORY_MIN && verdict != SLUICE_ALLOW;
       memory += 24) {
    struct errmsg err = {""};
    struct script *script = script_of(memory, &err);
    if (script == NULL) /* another order of the collector */
      continue;
    for (int i = 0; i < 2; i++)
      if (!script_ask(script, SCRIPT_ON_REQUEST, nobody(), NULL, &verdict,
                      &err)) {
        CU_ASSERT_FATAL(verdict == SLUICE_DENY && is_lack(&err));
        CU_ASSERT_FATAL(strncmp(err.text, "s.lua:5: in on_request", 22) == 0);
        failed++;
      }
    script_free(script);
  }
  CU_ASSERT(failed > 10);
  CU_ASSERT_EQUAL(verdict, SLUICE_ALLOW);
}

static void test_breach_is_of_one_call(void) {
  static const char text[] = "function on_request()\n"
                             "  if not done then\n"
                             "    done = true\n"
                             "    while true do end\n"
                             "  end\n"
                             "end\n";
  enum sluice_verdict verdict;
  struct errmsg err = {""};
  struct script *script =
      script_new(NULL, "s.lua", text, strlen(text), ALLOWANCE_MEMORY_MIN,
                 ALLOWANCE_STEPS_MIN, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(script);
  CU_ASSERT(
      !script_ask(script, SCRIPT_ON_REQUEST, nobody(), NULL, &verdict, &err));
  CU_ASSERT_STRING_EQUAL(
      err.text, "s.lua:4: it takes more steps than the option steps allows");
  CU_ASSERT(
      script_ask(script, SCRIPT_ON_REQUEST, nobody(), NULL, &verdict, &err));
  CU_ASSERT_EQUAL(verdict, SLUICE_PASS);
  script_free(script);
}

/* As comparing long texts, of which each is one instruction. */
static void test_time_of_the_processor_ends_what_steps_dont(void) {
  static const char text[] = "local a = ('a'):rep(1000):rep(4000)\n"
                             "local b, c = a .. 'x', a .. 'x'\n"
                             "function on_request() while b == c do end end\n";
  enum sluice_verdict verdict;
  struct errmsg err = {""};
  struct script *script =
      script_new(NULL, "s.lua", text, strlen(text), ALLOWANCE_MEMORY_MAX,
                 ALLOWANCE_STEPS_MAX, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(script);
  CU_ASSERT(
      !script_ask(script, SCRIPT_ON_REQUEST, nobody(), NULL, &verdict, &err));
  CU_ASSERT_STRING_EQUAL(
      err.text, "s.lua:3: it takes more than 100 ms of the processor");
  script_free(script);
}

static void test_callbacks_are_nested_up_to_a_limit(void) {
  static const char text[] =
      "local function nest(n)\n"
      "  return (('x'):gsub('x', function()\n"
      "    return n > 1 and nest(n - 1) or 'y'\n"
      "  end))\n"
      "end\n"
      "function on_request() return nest(16) == 'y' end\n"
      "function on_key() return nest(17) == 'y' end\n";
  enum sluice_verdict verdict = SLUICE_PASS;
  struct errmsg err = {""};
  struct script *script =
      script_new(NULL, "s.lua", text, strlen(text), ALLOWANCE_MEMORY_MIN,
                 ALLOWANCE_STEPS_MAX, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(script);
  for (int i = 0; i < 2; i++) { /* each call begins anew */
    CU_ASSERT(
        !script_ask(script, SCRIPT_ON_KEY, nobody(), NULL, &verdict, &err));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err.text, "callbacks are nested more than 16 deep"));
    CU_ASSERT(
        script_ask(script, SCRIPT_ON_REQUEST, nobody(), NULL, &verdict, &err));
    CU_ASSERT_EQUAL(verdict, SLUICE_ALLOW);
  }
  script_free(script);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_script_loads_with_the_least_memory_or_says_why),
      UNIT(test_call_without_memory_fails_and_the_next_may_succeed),
      UNIT(test_breach_is_of_one_call),
      UNIT(test_time_of_the_processor_ends_what_steps_dont),
      UNIT(test_callbacks_are_nested_up_to_a_limit),
      {NULL, NULL}};
  return unit_main("script", tests);
}
