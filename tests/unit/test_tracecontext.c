/* SPDX-License-Identifier: MIT
 *
 * traceparent and tracestate: what is valid, and what each limit lets by.
 */
#include "tracecontext.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define ZEROS "00000000000000000000000000000000"
#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_a_traceparent_is_read_strictly(void) {
  static const struct {
    const char *in, *want; /* NULL: it isn't valid */
  } rows[] = {
      {"00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01"},
      {"00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00"},
      {"00-" TRACE "-" SPAN "-03", "00-" TRACE "-" SPAN "-03"},
      {"00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-03"},
      {"01-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01"},
      {"cc-" TRACE "-" SPAN "-01-what-comes", "00-" TRACE "-" SPAN "-01"},
      {"cc-" TRACE "-" SPAN "-01.what", NULL},
      {"00-" TRACE "-" SPAN "-01-", NULL},
      {"00-" TRACE "-" SPAN "-01 ", NULL},
      {" 00-" TRACE "-" SPAN "-01", NULL},
      {"00-" TRACE "-" SPAN "-0", NULL},
      {"00-" TRACE "-" SPAN "-", NULL},
      {"00-" TRACE "-" SPAN, NULL},
      {"00-" TRACE "0-" SPAN "-01", NULL},
      {"00-" TRACE "_" SPAN "-01", NULL},
      {"ff-" TRACE "-" SPAN "-01", NULL},
      {"0g-" TRACE "-" SPAN "-01", NULL},
      {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL},
      {"00-" ZEROS "-" SPAN "-01", NULL},
      {"00-" TRACE "-0000000000000000-01", NULL},
      {"00", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[TRACECONTEXT_TEXT_SIZE] = "";
    struct tracecontext context;
    bool ok = tracecontext_read(&context, rows[i].in);
    if (ok)
      tracecontext_write(out, &context);
    ROW(rows[i].in, ok == (rows[i].want != NULL) &&
                        (!ok || strcmp(out, rows[i].want) == 0));
  }
}

static void test_a_later_version_has_a_limit(void) {
  struct tracecontext context;
  char text[TRACECONTEXT_PARENT_MAX + 2];
  memset(text, 'x', sizeof text);
  memcpy(text, "01-" TRACE "-" SPAN "-01-", 56);
  text[TRACECONTEXT_PARENT_MAX] = '\0';
  CU_ASSERT(tracecontext_read(&context, text));
  text[TRACECONTEXT_PARENT_MAX] = 'x';
  text[TRACECONTEXT_PARENT_MAX + 1] = '\0';
  CU_ASSERT(!tracecontext_read(&context, text));
}

static void test_random_bytes_never_name_nothing(void) {
  char out[TRACECONTEXT_TEXT_SIZE];
  struct tracecontext context = {.flags = 0}, again;
  tracecontext_write(out, &context);
  CU_ASSERT(!tracecontext_read(&again, out));
  tracecontext_fix(&context);
  tracecontext_write(out, &context);
  CU_ASSERT(tracecontext_read(&again, out));
}

static void test_a_tracestate_is_read_strictly(void) {
  static const struct {
    const char *in;
    bool valid;
  } rows[] = {
      {"rojo=00f067aa0ba902b7", true},
      {"rojo=1,congo=t61rcWkgMzE", true},
      {" rojo=1 ,\tcongo=2 ", true},
      {"rojo=1,,congo=2", true},
      {"a-b_c*d/e=x y", true},
      {"1a@system=x", true},
      {"tenant@sys=x", true},
      {"rojo= 1", true},
      {"", false},
      {" , ", false},
      {"rojo", false},
      {"rojo=", false},
      {"=1", false},
      {"rojo=1=2", false},
      {"rojo=1,rojo=2", false},
      {"Rojo=1", false},
      {"1rojo=1", false},
      {"@sys=1", false},
      {"tenant@=1", false},
      {"tenant@1sys=1", false},
      {"a@b@c=1", false},
      {"tenant@systemsystem12=1", true},
      {"tenant@systemsystem123=1", false},
      {"rojo=\x7f", false},
      {"rojo=\xc3\xa4", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].in, tracecontext_state_valid(rows[i].in) == rows[i].valid);
}

static void members(char out[TRACECONTEXT_STATE_MAX], size_t count) {
  size_t len = 0;
  for (size_t i = 0; i < count; i++)
    len += (size_t)snprintf(out + len, TRACECONTEXT_STATE_MAX - len,
                            "%sk%zu=v", i == 0 ? "" : ",", i);
}

static void test_a_tracestate_has_limits(void) {
  char text[TRACECONTEXT_STATE_MAX + 2];
  members(text, TRACECONTEXT_STATES_MAX);
  CU_ASSERT(tracecontext_state_valid(text));
  members(text, TRACECONTEXT_STATES_MAX + 1);
  CU_ASSERT(!tracecontext_state_valid(text));
  memset(text, 'v', sizeof text);
  memcpy(text, "a=", 2);
  text[258] = '\0'; /* a value of 256 */
  CU_ASSERT(tracecontext_state_valid(text));
  text[258] = 'v';
  text[259] = '\0';
  CU_ASSERT(!tracecontext_state_valid(text));
  memset(text, 'a', 257);
  memcpy(text + 256, "=v", 3);
  CU_ASSERT(tracecontext_state_valid(text));
  memcpy(text + 256, "a=v", 4);
  CU_ASSERT(!tracecontext_state_valid(text));
  memset(text, ' ', sizeof text);
  memcpy(text, "a=v,b=w", 7);
  text[TRACECONTEXT_STATE_MAX] = '\0';
  CU_ASSERT(tracecontext_state_valid(text));
  text[TRACECONTEXT_STATE_MAX] = ' ';
  text[TRACECONTEXT_STATE_MAX + 1] = '\0';
  CU_ASSERT(!tracecontext_state_valid(text));
}

static const struct unit_test tests[] = {
    UNIT(test_a_traceparent_is_read_strictly),
    UNIT(test_a_later_version_has_a_limit),
    UNIT(test_random_bytes_never_name_nothing),
    UNIT(test_a_tracestate_is_read_strictly),
    UNIT(test_a_tracestate_has_limits),
    {NULL, NULL},
};

int main(void) {
  return unit_main("tracecontext", tests);
}
