/* SPDX-License-Identifier: MIT
 *
 * S3's XML as providers send it.
 */
#include "unit.h"
#include "xml.h"
#include "xmltold.h"

#include <stdio.h>
#include <string.h>

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define URL "<EncodingType>url</EncodingType>"

/* ---- single values ------------------------------------------------------ */

static void test_xml_errors_are_read(void) {
  static const struct xmltold_row rows[] = {
      {DECLARATION "<Error><Code>NoSuchKey</Code><Message>Not &lt;here&gt;"
                   "</Message><Key>k</Key><RequestId>R1</RequestId>"
                   "<HostId>h</HostId></Error>",
       "0|NoSuchKey|Not <here>|R1|||||||||0"},
      {"<Error" XMLTOLD_NS "><Code>AuthorizationHeaderMalformed</Code>"
       "<Region>eu-west-1</Region><BucketName>b</BucketName></Error>",
       "0|AuthorizationHeaderMalformed|||eu-west-1|b|||||||0"},
      {"<s3:Error xmlns:s3='x'><s3:Code>A</s3:Code><Bucket>b</Bucket>"
       "</s3:Error>",
       "0|A||||b|||||||0"},
      {"<Error><Code><![CDATA[SlowDown]]></Code></Error>",
       "0|SlowDown|||||||||||0"},
      {"<Error/>", "0||||||||||||0"},
      {"<Error><More><Code>X</Code></More></Error>", "0||||||||||||0"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_ERROR, rows);
  xmltold_check_rows(XML_ANY, rows);
}

static void test_xml_an_error_replaces_what_was_expected(void) {
  static const char text[] = "<Error><Code>InternalError</Code></Error>";
  static const enum xml_kind kinds[] = {XML_LIST, XML_UPLOADS, XML_INITIATE,
                                        XML_COMPLETE, XML_LOCATION};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    xmltold_check(kinds[i], text, sizeof text - 1,
                  "0|InternalError|||||||||||0");
}

/* Ceph's token is the last key, whatever characters that has; the entries are
 * encoded. */
static void test_xml_a_token_that_cannot_be_read_is_no_fault(void) {
  static const struct xmltold_row list[] = {
      {"<ListBucketResult><IsTruncated>true</IsTruncated>"
       "<NextContinuationToken>a&#x1;</NextContinuationToken>" URL
       "<Contents><Key>a%01</Key><Size>1</Size>"
       "<LastModified>2026-06-14T12:34:56Z</LastModified></Contents>"
       "</ListBucketResult>",
       "o a\x01  1 1781440496000;1||||||||||||1"},
      {"<ListBucketResult><IsTruncated>true</IsTruncated>"
       "<NextContinuationToken>\xEF\xBF\xBF</NextContinuationToken>"
       "<StartAfter>&#31;</StartAfter></ListBucketResult>",
       "1||||||||||||1"},
      {NULL, NULL},
  };
  static const struct xmltold_row uploads[] = {
      {"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
       "<NextKeyMarker>&#1;</NextKeyMarker><Upload><Key>&#1;</Key>"
       "<UploadId>1</UploadId><Initiated>2026-06-14T12:34:56Z</Initiated>"
       "</Upload></ListMultipartUploadsResult>",
       "2||||||||||||1"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, list);
  xmltold_check_rows(XML_UPLOADS, uploads);
}

static void test_xml_uploads_begin_and_complete(void) {
  static const struct xmltold_row initiate[] = {
      {"<InitiateMultipartUploadResult" XMLTOLD_NS
       "><Bucket>b</Bucket><Key>k</Key>"
       "<UploadId>VXBs&amp;b2Fk</UploadId></InitiateMultipartUploadResult>",
       "3|||||||||VXBs&b2Fk|||0"},
      /* As rclone serve s3 1.75.2 has it. */
      {"<InitiateMultipartUpload><UploadId>1</UploadId>"
       "</InitiateMultipartUpload>",
       "3|||||||||1|||0"},
      {NULL, NULL},
  };
  static const struct xmltold_row complete[] = {
      {"<CompleteMultipartUploadResult" XMLTOLD_NS
       "><ETag>&quot;3858f6-9&quot;</ETag>"
       "</CompleteMultipartUploadResult>",
       "4||||||||||3858f6-9||0"},
      {"<CompleteMultipartUploadResult><ETag>&#34;3858f6-9&#34;</ETag>"
       "</CompleteMultipartUploadResult>",
       "4||||||||||3858f6-9||0"},
      {"<CompleteMultipartUploadResult><ETag>\"a\"</ETag>"
       "</CompleteMultipartUploadResult>",
       "4||||||||||a||0"},
      {"<CompleteMultipartUploadResult><ETag>a</ETag>"
       "</CompleteMultipartUploadResult>",
       "4||||||||||a||0"},
      /* Space keeps the connection, before the declaration or after it. */
      {" \r\n\t " DECLARATION "   \n  <Error><Code>SlowDown</Code></Error>",
       "0|SlowDown|||||||||||0"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_INITIATE, initiate);
  xmltold_check_rows(XML_COMPLETE, complete);
}

static void test_xml_location_is_read(void) {
  static const struct xmltold_row rows[] = {
      {"<LocationConstraint" XMLTOLD_NS ">eu-west-1</LocationConstraint>",
       "5|||||||||||eu-west-1|0"},
      {"<LocationConstraint" XMLTOLD_NS "/>", "5||||||||||||0"},
      {"<LocationConstraint>\n <LocationConstraint>EU</LocationConstraint>\n"
       "</LocationConstraint>",
       "5|||||||||||EU|0"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LOCATION, rows);
}

/* ---- lists -------------------------------------------------------------- */

static void test_xml_lists_are_read(void) {
  static const struct xmltold_row rows[] = {
      {DECLARATION XMLTOLD_LIST(
           "<Name>b</Name><Prefix>x</Prefix><IsTruncated>false"
           "</IsTruncated>"),
       "1||||||||||||0"},
      {XMLTOLD_LIST(
           "<IsTruncated>true</IsTruncated>"
           "<NextContinuationToken>1/a+b%20==</NextContinuationToken>" URL
               XMLTOLD_ENTRY("a", "&quot;e&quot;", "5")),
       "o a e 5 1255369830000;1||||||1/a+b%20==||||||1"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY(
           "a+b%20c", "\"e\"", "0") "<CommonPrefixes><Prefix>p/%41/"
                                    "</Prefix></CommonPrefixes>" XMLTOLD_ENTRY(
                                        "d&amp;e", "", "1")),
       "o a+b%20c e 0 1255369830000;p p/%41/;o d&e  1 1255369830000;"
       "1||||||||||||0"},
      {XMLTOLD_LIST("<CommonPrefixes><Prefix>a/</Prefix><Prefix>b/</Prefix>"
                    "</CommonPrefixes>"),
       "p a/;p b/;1||||||||||||0"},
      {XMLTOLD_LIST("<Contents><Key>a</Key><Owner><ID>1</ID><DisplayName>n"
                    "</DisplayName></Owner><LastModified>2009-10-12T17:50:30Z"
                    "</LastModified><UserMetadata><Key>x</Key></UserMetadata>"
                    "<Size>1</Size></Contents>"),
       "o a  1 1255369830000;1||||||||||||0"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("\xC3\xA9\xF0\x9F\x98\x80", "", "1")),
       "o \xC3\xA9\xF0\x9F\x98\x80  1 1255369830000;1||||||||||||0"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, rows);
}

static void test_xml_keys_are_decoded_wherever_the_list_says_so(void) {
  static const struct xmltold_row rows[] = {
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("a+b%20c%2Bd%2fe", "x", "1")),
       "o a b c+d/e x 1 1255369830000;1||||||||||||0"},
      /* MinIO says it last. */
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a+b", "x+y",
                                  "1") "<CommonPrefixes><Prefix>p%2F</Prefix>"
                                       "</CommonPrefixes>" URL),
       "o a b x+y 1 1255369830000;p p/;1||||||||||||0"},
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("%C3%A9%01~*", "x", "1")),
       "o \xC3\xA9\x01~* x 1 1255369830000;1||||||||||||0"},
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("%2541", "x", "1")),
       "o %41 x 1 1255369830000;1||||||||||||0"},
      {XMLTOLD_LIST("<EncodingType/>" XMLTOLD_ENTRY("a+b", "x", "1")),
       "o a+b x 1 1255369830000;1||||||||||||0"},
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("%", "x", "1")),
       "!key that isn't UTF-8"},
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("%zz", "x", "1")),
       "!key that isn't UTF-8"},
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("%00", "x", "1")),
       "!key that isn't UTF-8"},
      {XMLTOLD_LIST(URL XMLTOLD_ENTRY("%C3", "x", "1")),
       "!key that isn't UTF-8"},
      {XMLTOLD_LIST("<EncodingType>base64</EncodingType>"),
       "!in EncodingType"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, rows);
}

static void test_xml_lists_of_uploads_are_read(void) {
  static const struct xmltold_row rows[] = {
      {"<ListMultipartUploadsResult" XMLTOLD_NS
       "><NextKeyMarker>a%2Bb</NextKeyMarker>"
       "<NextUploadIdMarker>i+d</NextUploadIdMarker>" URL
       "<IsTruncated>true</IsTruncated><Upload><Key>a+b</Key>"
       "<UploadId>i%20d</UploadId><Initiated>2010-11-10T20:48:33.999Z"
       "</Initiated></Upload></ListMultipartUploadsResult>",
       "u a b i%20d 1289422113999;2|||||||a+b|i+d||||1"},
      {"<ListMultipartUploadsResult><NextKeyMarker>a%2Bb</NextKeyMarker>"
       "</ListMultipartUploadsResult>",
       "2|||||||a%2Bb|||||0"},
      {"<ListMultipartUploadsResult><NextKeyMarker>%</NextKeyMarker>" URL
       "</ListMultipartUploadsResult>",
       "!in NextKeyMarker"},
      {"<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>i"
       "</UploadId></Upload></ListMultipartUploadsResult>",
       "!without its key, size, upload ID or time"},
      {"<ListMultipartUploadsResult><Upload><Key>a</Key><Initiated>"
       "2010-11-10T20:48:33Z</Initiated></Upload>"
       "</ListMultipartUploadsResult>",
       "!without its key, size, upload ID or time"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_UPLOADS, rows);
}

static void test_xml_entries_without_what_they_need_are_refused(void) {
  static const struct xmltold_row rows[] = {
      {XMLTOLD_LIST("<Contents/>"), "!without its key"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY(
           "a", "", "1") "<Contents><Size>1</Size><LastModified>"
                         "2009-10-12T17:50:30Z</LastModified></Contents>"),
       "!without its key"},
      {XMLTOLD_LIST("<Contents><Key>a</Key><LastModified>2009-10-12T17:50:30Z"
                    "</LastModified></Contents>"),
       "!without its key"},
      {XMLTOLD_LIST("<Contents><Key>a</Key><Size>1</Size></Contents>"),
       "!without its key"},
      {XMLTOLD_LIST("<Contents><Key>a<b/>c</Key><Size>1</Size><LastModified>"
                    "2009-10-12T17:50:30Z</LastModified></Contents>"),
       "!without its key"},
      {XMLTOLD_LIST("<IsTruncated>maybe</IsTruncated>"), "!in IsTruncated"},
      {XMLTOLD_LIST("<IsTruncated/>"), "!in IsTruncated"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, rows);
}

static void test_xml_sizes_go_to_2_to_the_63(void) {
  static const struct xmltold_row rows[] = {
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "9223372036854775807")),
       "o a  9223372036854775807 1255369830000;1||||||||||||0"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "007")),
       "o a  7 1255369830000;1||||||||||||0"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "9223372036854775808")),
       "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "18446744073709551616")),
       "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "99999999999999999999999")),
       "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "")), "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "-1")), "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "+1")), "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", " 1")), "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "1.0")), "!in Size"},
      {XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "0x1")), "!in Size"},
      {NULL, NULL},
  };
  xmltold_check_rows(XML_LIST, rows);
}

static void test_xml_times_are_iso_8601(void) {
  static const struct {
    const char *time;
    int64_t want; /* 1: refused */
  } rows[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2009-10-12T17:50:30.000Z", 1255369830000},
      {"2009-10-12T17:50:30.1Z", 1255369830100},
      {"2009-10-12T17:50:30.1239Z", 1255369830123},
      {"2009-10-12T17:50:30.123456789012345Z", 1255369830123},
      {"2009-10-12T17:50:30+00:00", 1255369830000},
      {"2009-10-12T19:50:30.5+02:00", 1255369830500},
      {"2009-10-12T12:20:30-05:30", 1255369830000},
      {"2016-12-31T23:59:60Z", 1483228800000},
      {"2024-02-29T00:00:00Z", 1709164800000},
      {"0001-01-01T00:00:00Z", -62135596800000},
      {"9999-12-31T23:59:59.999Z", 253402300799999},
      {"", 1},
      {"2009", 1},
      {"2009-10-12", 1},
      {"2009-10-12T17:50:30", 1},
      {"2009-10-12 17:50:30Z", 1},
      {"2009-10-12T17:50:30.Z", 1},
      {"2009-10-12T17:50:30Zx", 1},
      {"2009-10-12T17:50:30+2:00", 1},
      {"2009-10-12T17:50:30+24:00", 1},
      {"2009-10-12T17:50:30+00:60", 1},
      {"2009-00-12T17:50:30Z", 1},
      {"2009-13-12T17:50:30Z", 1},
      {"2009-10-00T17:50:30Z", 1},
      {"2009-10-32T17:50:30Z", 1},
      {"2023-02-29T00:00:00Z", 1},
      {"2023-02-30T00:00:60Z", 1},
      {"2009-10-12T24:00:00Z", 1},
      {"2009-10-12T17:60:30Z", 1},
      {"2009-10-12T17:50:61Z", 1},
      {"Mon, 12 Oct 2009 17:50:30 GMT", 1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[400], want[100] = "!in LastModified";
    snprintf(text, sizeof text,
             XMLTOLD_LIST("<Contents><Key>a</Key><Size>1</Size>"
                          "<LastModified>%s</LastModified></Contents>"),
             rows[i].time);
    if (rows[i].want != 1)
      snprintf(want, sizeof want, "o a  1 %lld;1||||||||||||0",
               (long long)rows[i].want);
    xmltold_check(XML_LIST, text, strlen(text), want);
  }
}

static void test_xml_an_event_ends_the_reading(void) {
  static const char text[] = XMLTOLD_LIST(XMLTOLD_ENTRY(
      "a", "", "1") XMLTOLD_ENTRY("b", "", "2") XMLTOLD_ENTRY("c", "", "3"));
  struct xmltold told;
  CU_ASSERT(!xmltold_read(&told, XML_LIST, text, sizeof text - 1, 1000, 1));
  CU_ASSERT(strstr(told.log.data, "o b") && !strstr(told.log.data, "o c"));
  buf_fini(&told.log);
}

static void test_xml_events_may_be_missing(void) {
  static const char text[] = XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "1"));
  struct xml *xml = xml_new(XML_LIST, NULL);
  CU_ASSERT_FATAL(xml != NULL);
  CU_ASSERT(xml_feed(xml, text, sizeof text - 1));
  CU_ASSERT(xml_end(xml) != NULL);
  xml_free(xml);
}

static void test_xml_nothing_is_told_of_a_broken_list(void) {
  static const char text[] = XMLTOLD_LIST(XMLTOLD_ENTRY("a", "", "1")) "x";
  struct xmltold told;
  CU_ASSERT(!xmltold_read(&told, XML_LIST, text, sizeof text - 1, 1000, 100));
  CU_ASSERT(told.log.data[0] == '!');
  buf_fini(&told.log);
}

static const struct unit_test tests[] = {
    UNIT(test_xml_errors_are_read),
    UNIT(test_xml_an_error_replaces_what_was_expected),
    UNIT(test_xml_a_token_that_cannot_be_read_is_no_fault),
    UNIT(test_xml_uploads_begin_and_complete),
    UNIT(test_xml_location_is_read),
    UNIT(test_xml_lists_are_read),
    UNIT(test_xml_keys_are_decoded_wherever_the_list_says_so),
    UNIT(test_xml_lists_of_uploads_are_read),
    UNIT(test_xml_entries_without_what_they_need_are_refused),
    UNIT(test_xml_sizes_go_to_2_to_the_63),
    UNIT(test_xml_times_are_iso_8601),
    UNIT(test_xml_an_event_ends_the_reading),
    UNIT(test_xml_events_may_be_missing),
    UNIT(test_xml_nothing_is_told_of_a_broken_list),
    {NULL, NULL},
};

int main(void) {
  return unit_main("xml", tests);
}
