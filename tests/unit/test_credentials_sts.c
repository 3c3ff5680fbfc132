/* SPDX-License-Identifier: MIT
 *
 * STS's XML: what is read of it, and what is refused.
 */
#include "credentials_sts.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)
#define KEY(text) \
  "<Credentials><AccessKeyId>" text "</AccessKeyId></Credentials>"
#define DEEP "<b><b><b><b><b><b><b>"
#define SHALLOW "</b></b></b></b></b></b></b>"

static void test_sts_reads_what_lies_where_it_belongs(void) {
  static const struct {
    const char *text;
    bool good;
    const char *key, *code;
  } rows[] = {
      {"<A><R>" KEY("K") "</R></A>", true, "K", ""},
      {"<x:A xmlns:x='urn:y'><x:Credentials><x:AccessKeyId>K"
       "</x:AccessKeyId></x:Credentials></x:A>",
       true, "K", ""},
      {"<A><Credentials><AccessKeyId>a&amp;<![CDATA[b]]></AccessKeyId>"
       "</Credentials></A>",
       true, "a&b", ""},
      {"<A><AccessKeyId>K</AccessKeyId></A>", true, "", ""},
      {"<A><Credentials><Other><AccessKeyId>K</AccessKeyId></Other>"
       "</Credentials></A>",
       true, "", ""},
      {"<E><Error><Code>C</Code></Error><Code>D</Code></E>", true, "", "C"},
      {"<A>" DEEP DEEP SHALLOW SHALLOW "</A>", true, "", ""},
      {"<A>" DEEP DEEP "<b/>" SHALLOW SHALLOW "</A>", true, "", ""},
      {"<A>" DEEP DEEP "<b><b/></b>" SHALLOW SHALLOW "</A>", false, "", ""},
      {"<A>" DEEP DEEP "<b><b>x</b></b>" SHALLOW SHALLOW "</A>", false, "",
       ""},
      {"<A>" KEY("K") KEY("L") "</A>", false, "K", ""},
      {"<!DOCTYPE A [<!ENTITY e 'K'>]><A>" KEY("&e;") "</A>", false, "", ""},
      {"<A>" KEY("K"), false, "K", ""},
      {"{\"a\": 1}", false, "", ""},
      {"", false, "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct sts sts;
    sts_read(&sts, rows[i].text, strlen(rows[i].text));
    ROW(rows[i].text, sts.good == rows[i].good);
    ROW(rows[i].text,
        strcmp(sts.texts[STS_ACCESS_KEY].data, rows[i].key) == 0);
    ROW(rows[i].text, strcmp(sts.texts[STS_CODE].data, rows[i].code) == 0);
    sts_fini(&sts);
  }
}

static void test_sts_texts_have_a_limit(void) {
  static const int lens[] = {8192, 8193};
  for (size_t i = 0; i < 2; i++) {
    static char text[9000];
    struct sts sts;
    int len =
        snprintf(text, sizeof text, "<A>" KEY("%0*d") "</A>", lens[i], 0);
    sts_read(&sts, text, (size_t)len);
    CU_ASSERT_EQUAL(sts.good, i == 0);
    sts_fini(&sts);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_sts_reads_what_lies_where_it_belongs),
      UNIT(test_sts_texts_have_a_limit),
      {NULL, NULL}};
  return unit_main("credentials_sts", tests);
}
