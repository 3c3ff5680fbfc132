/* SPDX-License-Identifier: MIT
 *
 * The headers of a form's parts: what is understood, what is refused, and the
 * bytes that real clients send.  Every body is fed whole, cut anywhere, and
 * byte by byte.
 */
#include "formlog.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CD "Content-Disposition: form-data"
#define MALFORMED                                                             \
  "BAD: A part's Content-Disposition is malformed: look for a missing quote " \
  "or semicolon, or a parameter there twice"
#define NO_COLON \
  "BAD: A part's header must be a name, a colon right after it, and a value"
#define TWO "BAD: A part has two Content-Dispositions or two Content-Types"
#define FILENAME "BAD: A part has two file names"
#define EXTENDED                                                        \
  "BAD: A part's filename* must be UTF-8'' and percent-encoded UTF-8, " \
  "once, or stand beside a filename"
#define NO_NAME \
  "BAD: A part has no name: add name=\"...\" to its Content-Disposition"
#define LINE_END "BAD: A part's header has a CR or LF alone: lines end in CRLF"

/* A form of one part with these headers, which want no last CRLF, and no
 * data. */
static bool part_logs(const char *headers, size_t len, const char *want) {
  struct buf in, log;
  buf_init(&in, 65536);
  buf_init(&log, 65536);
  buf_adds(&in, "--b\r\n");
  buf_add(&in, headers, len);
  buf_adds(&in, "\r\n\r\n\r\n--b--");
  buf_adds(&log, want);
  if (*want == '[')
    buf_adds(&log, ";DONE");
  bool same = formlog_is("b", in.data, in.len, log.data);
  buf_fini(&in);
  buf_fini(&log);
  return same;
}

static void check_parts(const struct formlog_row *rows) {
  for (; rows->name; rows++)
    CU_assertImplementation(part_logs(rows->in, strlen(rows->in), rows->want),
                            __LINE__, rows->name, __FILE__, "", CU_FALSE);
}

/* ---- understood --------------------------------------------------------- */

static void test_dispositions_are_understood(void) {
  static const struct formlog_row rows[] = {
      {"quoted", CD "; name=\"a\"; filename=\"f\"", "[a|f|-]"},
      {"tokens", CD "; name=a; filename=f", "[a|f|-]"},
      {"order", CD "; filename=f; name=a", "[a|f|-]"},
      {"case", "CONTENT-disposition: Form-DATA; NAME=a; FileName=F",
       "[a|F|-]"},
      {"spaces", CD " \t;  name=a \t;\tfilename=f \t", "[a|f|-]"},
      {"no spaces", "Content-Disposition:form-data;name=a;filename=f",
       "[a|f|-]"},
      {"unknown", CD "; x=\"; name=b\"; name=a; y=z", "[a|-|-]"},
      {"semicolon at the end", CD "; name=a;", "[a|-|-]"},
      {"empty", CD "; name=\"\"; filename=\"\"", "[||-]"},
      {"one inside the other", CD "; name=\"a; filename=f\"",
       "[a; filename=f|-|-]"},
      {"escapes", CD "; name=\"a\\\"b\\\\c\"; filename=\"\\\"\"",
       "[a\"b\\c|\"|-]"},
      {"other backslashes", CD "; name=a; filename=\"C:\\x\\y.txt\"",
       "[a|C:\\x\\y.txt|-]"},
      {"UTF-8", CD "; name=\"\xd0\xbe\"; filename=\"\xe2\x82\xac\"",
       "[\xd0\xbe|\xe2\x82\xac|-]"},
      {"file name of other bytes", CD "; name=a; filename=\"\xff\xfe\"",
       "[a|\xff\xfe|-]"},
      {"browser", CD "; name=\"%22\"; filename=\"%0d%0A%22%20%2\"",
       "[\"|\r\n\"%20%2|-]"},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

static void test_extended_filename_wins(void) {
  static const struct formlog_row rows[] = {
      {"alone", CD "; name=a; filename*=UTF-8''%E2%82%AC%20f",
       "[a|\xe2\x82\xac f|-]"},
      {"before", CD "; filename*=utf-8'en'f; name=a; filename=g", "[a|f|-]"},
      {"after", CD "; name=a; filename=g; filename*=UTF-8''f", "[a|f|-]"},
      {"quoted", CD "; name=a; filename*=\"UTF-8''%66\"", "[a|f|-]"},
      {"empty", CD "; name=a; filename*=UTF-8''", "[a||-]"},
      {"no browser's escapes", CD "; name=a; filename*=UTF-8''%2522",
       "[a|%22|-]"},
      {"NULs are dropped", CD "; name=a; filename*=UTF-8''%00x%00%00y%00",
       "[a|xy|-]"},
      {"controls stay", CD "; name=a; filename*=UTF-8''%0D%0A%7F",
       "[a|\r\n\x7f|-]"},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

static void test_folded_headers_are_one_line(void) {
  static const struct formlog_row rows[] = {
      {"space", CD ";\r\n name=a;\r\n   filename=f", "[a|f|-]"},
      {"tab", CD ";\r\n\tname=a;\r\n \tfilename=f", "[a|f|-]"},
      {"in a value", CD "; name=a; filename=\"b\r\n c\"", "[a|b   c|-]"},
      {"type", CD "; name=a\r\nContent-Type: text/plain;\r\n\tcharset=x",
       "[a|-|text/plain;  \tcharset=x]"},
      {"blanks alone", CD "; name=a\r\n \r\nX: y", "[a|-|-]"},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

static void test_broken_extended_filename_leaves_the_good_one(void) {
  static const struct formlog_row rows[] = {
      {"Latin", CD "; name=a; filename=f; filename*=ISO-8859-1''%E9",
       "[a|f|-]"},
      {"no charset", CD "; name=a; filename*=g; filename=f", "[a|f|-]"},
      {"cut escape", CD "; name=a; filename=f; filename*=UTF-8''%2",
       "[a|f|-]"},
      {"not UTF-8", CD "; name=a; filename=f; filename*=UTF-8''%ff",
       "[a|f|-]"},
      {"twice",
       CD "; name=a; filename=f; filename*=UTF-8''g; "
          "filename*=UTF-8''h",
       "[a|f|-]"},
      {"nothing", CD "; name=a; filename*=; filename=f", MALFORMED},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

/* As JavaScript's encodeURIComponent() and careless clients write them. */
static void test_values_without_quotes_need_not_be_tokens(void) {
  static const struct formlog_row rows[] = {
      {"parentheses", CD "; name=a; filename*=UTF-8''a%20(1).txt",
       "[a|a (1).txt|-]"},
      {"slashes", CD "; name=a; filename=/tmp/a@b.txt", "[a|/tmp/a@b.txt|-]"},
      {"UTF-8", CD "; name=a; filename=\xd0\xbe.txt", "[a|\xd0\xbe.txt|-]"},
      {"equals sign", CD "; name=a; filename=a=b", "[a|a=b|-]"},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

/* Whoever stores the name removes them. */
static void test_controls_in_a_filename_are_let_through(void) {
  static const struct formlog_row rows[] = {
      {"quoted", CD "; name=a; filename=\"b\x01\x1f\x7f\"",
       "[a|b\x01\x1f\x7f|-]"},
      {"not quoted", CD "; name=a; filename=b\x01", "[a|b\x01|-]"},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

static void test_types_are_passed_as_sent(void) {
  static const struct formlog_row rows[] = {
      {"after", CD "; name=a\r\nContent-Type: Text/X; a=\"b\" ",
       "[a|-|Text/X; a=\"b\"]"},
      {"before", "content-TYPE:x\r\n" CD "; name=a", "[a|-|x]"},
      {"empty", CD "; name=a\r\nContent-Type: ", "[a|-|-]"},
      {"forgotten with its part",
       CD "; name=a\r\nContent-Type: x\r\n\r\n\r\n--b\r\n" CD "; name=b",
       "[a|-|x];[b|-|-]"},
      {"other headers", "A: b\r\n" CD "; name=a\r\n!#$%&'*+-.^_`|~09: \xff",
       "[a|-|-]"},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

/* ---- refused ------------------------------------------------------------ */

static void test_bad_headers_are_refused(void) {
  static const struct formlog_row rows[] = {
      {"none", "X: y", "BAD: A part has no Content-Disposition"},
      {"attachment", "Content-Disposition: attachment; name=a",
       "BAD: A part's Content-Disposition isn't form-data"},
      {"longer", "Content-Disposition: form-data2; name=a",
       "BAD: A part's Content-Disposition isn't form-data"},
      {"two", CD "; name=a\r\n" CD "; name=a", TWO},
      {"two types", CD "; name=a\r\nContent-Type: x\r\nContent-Type: x", TWO},
      {"no colon", CD "; name=a\r\nX", NO_COLON},
      {"no name", CD "; name=a\r\n: x", NO_COLON},
      {"space before the colon", "Content-Disposition : form-data; name=a",
       NO_COLON},
      {"letter in a name", CD "; name=a\r\nX<: y", NO_COLON},
      {"folded without a line before", " " CD "; name=a",
       "BAD: A part's headers begin with a blank"},
      {"CR", CD "; name=\"a\rb\"", LINE_END},
      {"CR CR", CD "; name=a\r\r\nX: y", LINE_END},
      {"LF", CD "; name=\"a\nb\"", LINE_END},
      {"LF first", "\n" CD "; name=a", LINE_END},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

static void test_nul_in_headers_is_refused(void) {
  static const char in[] = CD "; name=\"a\0b\"";
  CU_ASSERT(part_logs(in, sizeof in - 1, "BAD: A part's headers hold a NUL"));
}

static void test_no_headers_are_refused(void) {
  static const char in[] = "--b\r\n\r\nx\r\n--b--";
  CU_ASSERT(formlog_is("b", in, sizeof in - 1,
                       "BAD: A part has no Content-Disposition"));
}

static void test_bad_dispositions_are_refused(void) {
  static const struct formlog_row rows[] = {
      {"no parameter", CD, NO_NAME},
      {"no name", CD "; filename=f", NO_NAME},
      {"extended name", CD "; name*=UTF-8''a", NO_NAME},
      {"name twice", CD "; name=a; name=a", MALFORMED},
      {"name twice in other case", CD "; name=a; NAME=\"a\"", MALFORMED},
      {"open quote", CD "; name=\"a", MALFORMED},
      {"open by an escape", CD "; name=\"a\\\"", MALFORMED},
      {"quote inside", CD "; name=a; filename=\"a\"b.txt\"", MALFORMED},
      {"two words", CD "; name=a b", MALFORMED},
      {"no value", CD "; name=", MALFORMED},
      {"no equals sign", CD "; name", MALFORMED},
      {"file name twice", CD "; name=a; filename=f; filename=g", FILENAME},
      {"extended twice", CD "; name=a; filename*=UTF-8''f; filename*=UTF-8''f",
       EXTENDED},
      {"name that isn't UTF-8", CD "; name=\"\xff\"",
       "BAD: A part's name isn't UTF-8"},
      {"Latin", CD "; name=a; filename*=ISO-8859-1''%E9", EXTENDED},
      {"no charset", CD "; name=a; filename*=f", EXTENDED},
      {"no language", CD "; name=a; filename*=UTF-8'f", EXTENDED},
      {"bad escape", CD "; name=a; filename*=UTF-8''%2", EXTENDED},
      {"bad escape before a NUL", CD "; name=a; filename*=UTF-8''%2%00",
       EXTENDED},
      {"not UTF-8", CD "; name=a; filename*=UTF-8''%E9", EXTENDED},
      {NULL, NULL, NULL}};
  check_parts(rows);
}

static void test_names_of_1024_bytes_pass_and_1025_do_not(void) {
  char in[2048], want[2048];
  for (int len = 1024; len <= 1025; len++) {
    int n = snprintf(in, sizeof in, CD "; name=\"%0*d\"", len, 7);
    snprintf(want, sizeof want, "[%0*d|-|-]", len, 7);
    CU_ASSERT(part_logs(in, (size_t)n,
                        len == 1024 ? want
                                    : "BAD: A part's name is longer than "
                                      "1024 bytes"));
  }
}

static void test_a_filename_may_fill_the_headers(void) {
  char in[8192], want[8192];
  int n = snprintf(in, sizeof in, CD "; name=a; filename=%04000d", 7);
  snprintf(want, sizeof want, "[a|%04000d|-]", 7);
  CU_ASSERT(part_logs(in, (size_t)n, want));
}

/* ---- clients ------------------------------------------------------------ */

static void test_a_browsers_form_is_understood(void) {
  static const struct formlog_row rows[] = {
      {"Chromium",
       "------WebKitFormBoundaryQ8Zt1f0BzWc7Ykq2\r\n"
       "Content-Disposition: form-data; name=\"file\"; "
       "filename=\"a %22b%22 50%%0D%0Ac.txt\"\r\n"
       "Content-Type: text/plain\r\n\r\nhello\r\n"
       "------WebKitFormBoundaryQ8Zt1f0BzWc7Ykq2\r\n"
       "Content-Disposition: form-data; name=\"prefix\"\r\n\r\nreports\r\n"
       "------WebKitFormBoundaryQ8Zt1f0BzWc7Ykq2--\r\n",
       "[file|a \"b\" 50%\r\nc.txt|text/plain]hello;[prefix|-|-]reports;"
       "DONE"},
      {NULL, NULL, NULL}};
  formlog_check("----WebKitFormBoundaryQ8Zt1f0BzWc7Ykq2", rows);
}

static void test_curls_form_is_understood(void) {
  static const struct formlog_row rows[] = {
      {"curl",
       "--------------------------d74496d66958873e\r\n"
       "Content-Disposition: form-data; name=\"file\"; "
       "filename=\"a \\\"b\\\" \\\\ \xd0\xbe\xd1\x82.txt\"\r\n"
       "Content-Type: application/octet-stream\r\n\r\n\r\n\r\n\r\n"
       "--------------------------d74496d66958873e\r\n"
       "Content-Disposition: form-data; name=\"prefix\"\r\n\r\nreports\r\n"
       "--------------------------d74496d66958873e--\r\n",
       "[file|a \"b\" \\ \xd0\xbe\xd1\x82.txt|application/octet-stream]"
       "\r\n\r\n;[prefix|-|-]reports;DONE"},
      {NULL, NULL, NULL}};
  formlog_check("------------------------d74496d66958873e", rows);
}

static void test_python_requests_form_is_understood(void) {
  static const struct formlog_row rows[] = {
      {"urllib3 1",
       "--2f0a4ee1c2d94ff7b4d1a2c7b6a0d9e3\r\n"
       "Content-Disposition: form-data; name=\"file\"; "
       "filename*=utf-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf\r\n\r\n%PDF-\r\n"
       "--2f0a4ee1c2d94ff7b4d1a2c7b6a0d9e3--\r\n",
       "[file|\xd0\xbe\xd1\x82\xd1\x87\xd1\x91\xd1\x82.pdf|-]%PDF-;DONE"},
      {NULL, NULL, NULL}};
  formlog_check("2f0a4ee1c2d94ff7b4d1a2c7b6a0d9e3", rows);
}

static void test_a_java_clients_form_is_understood(void) {
  static const struct formlog_row rows[] = {
      {"HttpClient",
       "--Kx3_Zt-9aQ\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"?.txt\"; "
       "filename*=\"UTF-8''%E2%82%AC.txt\"\r\n"
       "Content-Type: application/octet-stream\r\n"
       "Content-Transfer-Encoding: binary\r\n\r\nhello\r\n"
       "--Kx3_Zt-9aQ--\r\n",
       "[file|\xe2\x82\xac.txt|application/octet-stream]hello;DONE"},
      {"OkHttp",
       "--Kx3_Zt-9aQ\r\n"
       "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
       "Content-Type: text/plain; charset=utf-8\r\n"
       "Content-Length: 5\r\n\r\nhello\r\n--Kx3_Zt-9aQ--\r\n",
       "[file|a.txt|text/plain; charset=utf-8]hello;DONE"},
      {NULL, NULL, NULL}};
  formlog_check("Kx3_Zt-9aQ", rows);
}

static void test_a_go_clients_form_is_understood(void) {
  static const struct formlog_row rows[] = {
      {"mime/multipart",
       "--5d1d9e6dc1f4d1b2a6f1b0\r\n"
       "Content-Disposition: form-data; name=\"file\"; "
       "filename=\"C:\\\\a\\\\b \\\"c\\\".txt\"\r\n"
       "Content-Type: application/octet-stream\r\n\r\nhello\r\n"
       "--5d1d9e6dc1f4d1b2a6f1b0--\r\n",
       "[file|C:\\a\\b \"c\".txt|application/octet-stream]hello;DONE"},
      {NULL, NULL, NULL}};
  formlog_check("5d1d9e6dc1f4d1b2a6f1b0", rows);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_dispositions_are_understood),
      UNIT(test_extended_filename_wins),
      UNIT(test_folded_headers_are_one_line),
      UNIT(test_broken_extended_filename_leaves_the_good_one),
      UNIT(test_values_without_quotes_need_not_be_tokens),
      UNIT(test_controls_in_a_filename_are_let_through),
      UNIT(test_types_are_passed_as_sent),
      UNIT(test_bad_headers_are_refused),
      UNIT(test_nul_in_headers_is_refused),
      UNIT(test_no_headers_are_refused),
      UNIT(test_bad_dispositions_are_refused),
      UNIT(test_names_of_1024_bytes_pass_and_1025_do_not),
      UNIT(test_a_filename_may_fill_the_headers),
      UNIT(test_a_browsers_form_is_understood),
      UNIT(test_curls_form_is_understood),
      UNIT(test_python_requests_form_is_understood),
      UNIT(test_a_java_clients_form_is_understood),
      UNIT(test_a_go_clients_form_is_understood),
      {NULL, NULL}};
  return unit_main("partheader", tests);
}
