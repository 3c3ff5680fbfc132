/* SPDX-License-Identifier: MIT
 *
 * The one who ended a request, by the status of its answer or its end.
 */
#include "ender.h"
#include "unit.h"

#include <string.h>

static void test_every_ender_but_none_has_a_word_of_its_own(void) {
  CU_ASSERT_PTR_NULL(ender_word(ENDER_NONE));
  for (enum ender a = ENDER_CLIENT; a <= ENDER_LIMIT; a++)
    for (enum ender b = ENDER_CLIENT; b < a; b++)
      CU_ASSERT_STRING_NOT_EQUAL(ender_word(a), ender_word(b));
}

static void test_status_of_the_gateways_own_tells_who(void) {
  static const struct {
    int status;
    enum ender ender;
  } rows[] = {{200, ENDER_NONE},    {304, ENDER_NONE},   {400, ENDER_CLIENT},
              {404, ENDER_CLIENT},  {413, ENDER_LIMIT},  {414, ENDER_LIMIT},
              {429, ENDER_LIMIT},   {431, ENDER_LIMIT},  {500, ENDER_GATEWAY},
              {503, ENDER_GATEWAY}, {501, ENDER_CLIENT}, {505, ENDER_CLIENT}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    CU_ASSERT_EQUAL(ender_of_status(rows[i].status), rows[i].ender);
}

static void test_only_who_left_is_called_gone(void) {
  for (enum ingress_end end = INGRESS_LEFT; end <= INGRESS_UNREADABLE; end++) {
    struct ender_gone gone = ender_of_gone(end);
    CU_ASSERT_EQUAL(strcmp(gone.code, "client_gone") == 0,
                    end == INGRESS_LEFT);
    CU_ASSERT_EQUAL(gone.ender == ENDER_CLIENT, end == INGRESS_LEFT);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_every_ender_but_none_has_a_word_of_its_own),
      UNIT(test_status_of_the_gateways_own_tells_who),
      UNIT(test_only_who_left_is_called_gone),
      {NULL, NULL}};
  return unit_main("ender", tests);
}
