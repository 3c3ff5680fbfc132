/* SPDX-License-Identifier: MIT
 *
 * XML that isn't S3's, or was made to do harm: refused, and at each limit the
 * last that passes.
 */
#include "unit.h"
#include "xml.h"
#include "xmltold.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_xml_other_documents_are_refused(void) {
  static const struct xmltold_row rows[] = {
      {"", "!isn't XML"},
      {"   \n", "!isn't XML"},
      {"<ListBucketResult>", "!isn't XML"},
      {"<ListBucketResult></Error>", "!isn't XML"},
      {"<ListBucketResult/><Error/>", "!isn't XML"},
      {"{\"error\": \"no\"}", "!isn't XML"},
      {"<html><body>502</body></html>", "!another document"},
      {"<!DOCTYPE html><html/>", "!document type"},
      {"<ListAllMyBucketsResult/>", "!another document"},
      {"<CompleteMultipartUploadResult/>", "!another document"},
      {"<listbucketresult/>", "!another document"},
      {"<ListBucketResult>&unknown;</ListBucketResult>", "!isn't XML"},
      {"<ListBucketResult>\x01</ListBucketResult>", "!isn't XML"},
      {"<ListBucketResult>&#0;</ListBucketResult>", "!isn't XML"},
      {"<ListBucketResult>\xFF</ListBucketResult>", "!isn't XML"},
      {"<ListBucketResult>\xED\xA0\x80</ListBucketResult>", "!isn't XML"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, rows);
  xmltold_check(XML_ANY, "<Nothing/>", 10, "!another document");
}

/* Without its name an upload could neither go on nor be given up. */
static void test_xml_an_upload_without_its_name_is_refused(void) {
  static const struct xmltold_row rows[] = {
      {"<InitiateMultipartUploadResult/>", "!without its UploadId"},
      {"<InitiateMultipartUploadResult><UploadId/>"
       "</InitiateMultipartUploadResult>",
       "!without its UploadId"},
      {"<InitiateMultipartUploadResult><Key>k</Key><More><UploadId>1"
       "</UploadId></More></InitiateMultipartUploadResult>",
       "!without its UploadId"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_INITIATE, rows);
}

static void test_xml_a_key_with_what_xml_cannot_hold_is_refused(void) {
#define ENTRY(key)                                                        \
  "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>" key \
  "</Key><Size>1</Size><LastModified>2026-06-14T12:34:56Z</LastModified>" \
  "</Contents></ListBucketResult>"
  static const struct xmltold_row rows[] = {
      {ENTRY("a&#1;"), "!XML can't hold"},
      {ENTRY("\xEF\xBF\xBE"), "!XML can't hold"},
      {"<ListBucketResult><CommonPrefixes><Prefix>&#x1f;/</Prefix>"
       "</CommonPrefixes></ListBucketResult>",
       "!XML can't hold"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, rows);
#undef ENTRY
}

static void test_xml_document_types_are_refused(void) {
  static const struct xmltold_row rows[] = {
      {"<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>",
       "!document type"},
      {"<!DOCTYPE Error [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">"
       "<!ENTITY c \"&b;&b;&b;\">]><Error><Code>&c;</Code></Error>",
       "!document type"},
      {"<!DOCTYPE Error SYSTEM \"file:///etc/passwd\"><Error/>",
       "!document type"},
      {"<!DOCTYPE Error [<!ENTITY % p SYSTEM \"http://x/\">%p;]><Error/>",
       "!document type"},
      {"<!DOCTYPE Error><Error/>", "!document type"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_ANY, rows);
}

static void test_xml_other_encodings_are_refused(void) {
  static const struct {
    const char *text;
    size_t len;
  } rows[] = {
#define BYTES(text) {text, sizeof(text) - 1}
      BYTES("\xFF\xFE<\0E\0r\0r\0o\0r\0/\0>\0"),
      BYTES("\xFE\xFF\0<\0E\0r\0r\0o\0r\0/\0>"),
      BYTES("<\0E\0r\0r\0o\0r\0/\0>\0"),
      BYTES("\0<\0E\0r\0r\0o\0r\0/\0>"),
      BYTES("<?xml version='1.0' encoding='ISO-8859-1'?><Error/>"),
      BYTES("<?xml version='1.0' encoding='UTF-16'?><Error/>"),
      BYTES("<?xml version='1.0' encoding='x-unknown'?><Error/>"),
      BYTES("<Error>\0</Error>"),
#undef BYTES
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    xmltold_check(XML_ANY, rows[i].text, rows[i].len, "!isn't in UTF-8");
  xmltold_check(XML_ANY, "\xEF\xBB\xBF<Error/>", 11, "0||||||||||||0");
  xmltold_check(XML_ANY, "<?xml version='1.0' encoding='utf-8'?><Error/>", 46,
                "0||||||||||||0");
}

/* ---- limits ------------------------------------------------------------- */

/* Reads head, `count` times middle, and tail. */
static bool read_repeated(enum xml_kind kind, const char *head,
                          const char *middle, size_t count, const char *tail,
                          const char *fault) {
  struct xmltold told;
  struct buf text;
  bool done;
  buf_init(&text, 1 << 24);
  buf_adds(&text, head);
  for (size_t i = 0; i < count; i++)
    buf_adds(&text, middle);
  buf_adds(&text, tail);
  CU_ASSERT_FATAL(!text.overflown);
  done = xmltold_read(&told, kind, text.data, text.len, 16384, UINT32_MAX);
  ROW(told.log.data, done || strstr(told.log.data, fault));
  buf_fini(&told.log);
  buf_fini(&text);
  return done;
}

static bool read_nested(size_t depth) {
  struct xmltold told;
  struct buf text;
  bool done;
  buf_init(&text, 1 << 16);
  buf_adds(&text, "<Error>");
  for (size_t i = 1; i < depth; i++)
    buf_adds(&text, "<a>");
  for (size_t i = 1; i < depth; i++)
    buf_adds(&text, "</a>");
  buf_adds(&text, "</Error>");
  done = xmltold_read(&told, XML_ANY, text.data, text.len, 16384, 0);
  CU_ASSERT(done || strstr(told.log.data, "nested too deeply"));
  buf_fini(&told.log);
  buf_fini(&text);
  return done;
}

static void test_xml_depth_past_its_limit_is_refused(void) {
  CU_ASSERT(read_nested(XML_DEPTH_MAX));
  CU_ASSERT(!read_nested(XML_DEPTH_MAX + 1));
}

static void test_xml_text_past_its_limit_is_refused(void) {
  static const char head[] = "<Error><Code>", tail[] = "</Code></Error>";
  CU_ASSERT(read_repeated(XML_ANY, head, "a", XML_TEXT_MAX, tail, "-"));
  CU_ASSERT(!read_repeated(XML_ANY, head, "a", XML_TEXT_MAX + 1, tail,
                           "too long a text"));
  CU_ASSERT(read_repeated(XML_ANY, "<Error><Other>", "a", XML_TEXT_MAX + 1,
                          "</Other></Error>", "-"));
}

static void test_xml_entries_past_their_limit_are_refused(void) {
  static const char head[] = "<ListBucketResult><CommonPrefixes>";
  static const char tail[] = "</CommonPrefixes></ListBucketResult>";
  static const char entry[] = "<Prefix>a/</Prefix>";
  CU_ASSERT(read_repeated(XML_LIST, head, entry, XML_ENTRIES_MAX, tail, "-"));
  CU_ASSERT(!read_repeated(XML_LIST, head, entry, XML_ENTRIES_MAX + 1, tail,
                           "too many entries"));
}

static void test_xml_bytes_past_their_limit_are_refused(void) {
  static const char head[] = "<Error>", tail[] = "</Error>";
  size_t room = XML_BYTES_MAX - (sizeof head - 1) - (sizeof tail - 1);
  CU_ASSERT(read_repeated(XML_ANY, head, " ", room, tail, "-"));
  CU_ASSERT(!read_repeated(XML_ANY, head, " ", room + 1, tail, "is too long"));
  /* Space before the document counts. */
  CU_ASSERT(!read_repeated(XML_ANY, "", " ", XML_BYTES_MAX, "<Error/>",
                           "is too long"));
}

static void test_xml_tags_past_their_limit_are_refused(void) {
  static const char tail[] = "--></Error>";
  CU_ASSERT(read_repeated(XML_ANY, "<Error><!--", "a", 60000, tail, "-"));
  CU_ASSERT(!read_repeated(XML_ANY, "<Error><!--", "a", 1 << 20, tail,
                           "too long a tag"));
  CU_ASSERT(!read_repeated(XML_ANY, "<Error a='", "a", 1 << 20, "'/>",
                           "too long a tag"));
  CU_ASSERT(
      !read_repeated(XML_ANY, "<Error", "a", 1 << 20, "/>", "too long a tag"));
}

static const struct unit_test tests[] = {
    UNIT(test_xml_other_documents_are_refused),
    UNIT(test_xml_an_upload_without_its_name_is_refused),
    UNIT(test_xml_a_key_with_what_xml_cannot_hold_is_refused),
    UNIT(test_xml_document_types_are_refused),
    UNIT(test_xml_other_encodings_are_refused),
    UNIT(test_xml_depth_past_its_limit_is_refused),
    UNIT(test_xml_text_past_its_limit_is_refused),
    UNIT(test_xml_entries_past_their_limit_are_refused),
    UNIT(test_xml_bytes_past_their_limit_are_refused),
    UNIT(test_xml_tags_past_their_limit_are_refused),
    {NULL, NULL},
};

int main(void) {
  return unit_main("xmlrefusal", tests);
}
