/* SPDX-License-Identifier: MIT
 *
 * Tables say what is tolerated: names that mean the same, forms that lie in
 * another form, and what is text to one who looks at bytes.
 */
#include "mediatype.h"

#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A token of RFC 9110, without the asterisk. */
static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && strchr("!#$%&'+-.^_`|~", c) != NULL);
}

static bool is_token(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (!is_letter(text[i]))
      return false;
  return len > 0;
}

bool mediatype_read(const char *text, size_t len, char out[MEDIATYPE_MAX]) {
  size_t used = 0;
  while (used < len && text[used] != ';' && text[used] != '\0')
    used++;
  while (used > 0 && (text[used - 1] == ' ' || text[used - 1] == '\t'))
    used--;
  if (used >= MEDIATYPE_MAX)
    return false;
  for (size_t i = 0; i < used; i++)
    out[i] = lower(text[i]);
  out[used] = '\0';
  const char *slash = memchr(out, '/', used);
  return slash != NULL && is_token(out, (size_t)(slash - out)) &&
         is_token(slash + 1, used - (size_t)(slash + 1 - out));
}

/* ---- one name for what has several -------------------------------------- */

static const char *const synonyms[][2] = {
    {"application/vnd.microsoft.portable-executable", "application/dosexec"},
    {"application/x-msdownload", "application/dosexec"},
    {"application/x-msdos-program", "application/dosexec"},
    {"application/x-ecmascript", "text/javascript"},
    {"application/ecmascript", "text/javascript"},
    {"application/javascript", "text/javascript"},
    {"application/x-zip-compressed", "application/zip"},
    {"application/xml", "text/xml"},
    {"application/rtf", "text/rtf"},
    {"application/x-yaml", "application/yaml"},
    {"text/yaml", "application/yaml"},
    {"audio/mp3", "audio/mpeg"},
    {"audio/vnd.wave", "audio/wav"},
    {"audio/m4a", "audio/mp4"},
    {"video/m4v", "video/mp4"},
    {"image/jpg", "image/jpeg"},
    {"image/pjpeg", "image/jpeg"},
    {"image/ms-bmp", "image/bmp"},
    {"image/vnd.microsoft.icon", "image/icon"},
    {"video/msvideo", "video/avi"},
    {"application/rar", "application/vnd.rar"},
    {"application/gtar", "application/tar"},
    {"application/empty", MEDIATYPE_EMPTY},
    {"inode/empty", MEDIATYPE_EMPTY},
};

static const char *meaning(const char *type) {
  for (size_t i = 0; i < COUNT(synonyms); i++)
    if (strcmp(synonyms[i][0], type) == 0)
      return synonyms[i][1];
  return type;
}

/* Without the "x-" of what wasn't registered at first. */
static void main_name(const char *type, char out[MEDIATYPE_MAX]) {
  char plain[MEDIATYPE_MAX];
  const char *slash = strchr(type, '/');
  const char *rest = slash == NULL ? "" : slash + 1;
  int first = slash == NULL ? 0 : (int)(slash - type);
  rest += strncmp(rest, "x-", 2) == 0 ? 2 : 0;
  snprintf(plain, sizeof plain, "%.*s/%s", first, type, rest);
  const char *known = meaning(type);
  snprintf(out, MEDIATYPE_MAX, "%s", known != type ? known : meaning(plain));
}

/* ---- patterns ----------------------------------------------------------- */

/* Those of IANA, and what libmagic has beside them. */
static const char *const tops[] = {
    "application", "audio",   "font",      "haptics", "image",       "message",
    "model",       "text",    "multipart", "video",   "inode",       "biosig",
    "chemical",    "example", "rinex",     "x-epoc",  "x-conference"};

static bool is_top(const char *type, size_t len) {
  for (size_t i = 0; i < COUNT(tops); i++)
    if (strlen(tops[i]) == len && memcmp(tops[i], type, len) == 0)
      return true;
  return false;
}

/* "image/" of "image/star", "" of star/star; NULL: it is no range. */
static bool read_range(const char *pattern, char out[MEDIATYPE_MAX]) {
  size_t len = strlen(pattern);
  if (strcmp(pattern, "*/*") == 0) {
    out[0] = '\0';
    return true;
  }
  if (len < 3 || len >= MEDIATYPE_MAX || strcmp(pattern + len - 2, "/*") != 0)
    return false;
  for (size_t i = 0; i < len - 1; i++)
    out[i] = lower(pattern[i]);
  out[len - 1] = '\0';
  return is_token(out, len - 2);
}

bool mediatype_check(const char *option, const char *pattern,
                     struct errmsg *err) {
  char type[MEDIATYPE_MAX];
  bool ok = read_range(pattern, type) ||
            (strchr(pattern, ';') == NULL && strpbrk(pattern, " \t") == NULL &&
             mediatype_read(pattern, strlen(pattern), type));
  if (!ok)
    return errmsg_set(err,
                      "%s: '%.100s' is no type; write one as image/png, all "
                      "of a kind as image/*, or all as */*, without "
                      "parameters",
                      option, pattern);
  if (type[0] == '\0' || is_top(type, strcspn(type, "/")))
    return true;
  return errmsg_set(err,
                    "%s: '%.100s' begins with no kind that there is, as "
                    "application, audio, font, image, model, text or video",
                    option, pattern);
}

static bool means(const char *pattern, const char *type) {
  char wanted[MEDIATYPE_MAX], one[MEDIATYPE_MAX], other[MEDIATYPE_MAX];
  if (read_range(pattern, wanted))
    return strncmp(type, wanted, strlen(wanted)) == 0;
  if (!mediatype_read(pattern, strlen(pattern), wanted))
    return false;
  main_name(wanted, one);
  main_name(type, other);
  return strcmp(one, other) == 0;
}

bool mediatype_listed(const char *const *patterns, const char *type) {
  for (; *patterns != NULL; patterns++)
    if (means(*patterns, type))
      return true;
  return false;
}

/* ---- what may be said of which bytes ------------------------------------ */

static bool begins(const char *type, const char *start) {
  return strncmp(type, start, strlen(start)) == 0;
}

static bool ends(const char *type, const char *end) {
  size_t len = strlen(type), size = strlen(end);
  return len > size && strcmp(type + len - size, end) == 0;
}

static bool is_one_of(const char *type, const char *const *list,
                      size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(list[i], type) == 0)
      return true;
  return false;
}

static bool is_xml(const char *type) {
  return strcmp(type, "text/xml") == 0 || ends(type, "+xml");
}

static bool is_json(const char *type) {
  return begins(type, "application/json") || ends(type, "+json") ||
         strcmp(type, "application/ndjson") == 0;
}

static bool is_text(const char *type) {
  static const char *const others[] = {"application/yaml",
                                       "application/toml",
                                       "application/sql",
                                       "application/sh",
                                       "application/pgp",
                                       "application/graphql",
                                       "application/tex",
                                       "application/mbox",
                                       "application/wine-extension",
                                       "application/pem",
                                       "application/subrip",
                                       "application/pem-file",
                                       "application/perl",
                                       "application/geo",
                                       "application/typescript",
                                       "application/csh",
                                       "application/httpd-php",
                                       "application/php",
                                       "message/rfc822",
                                       "message/news",
                                       "image/xpixmap",
                                       "image/x-xbitmap",
                                       "model/obj",
                                       "application/latex"};
  return begins(type, "text/") || is_xml(type) || is_json(type) ||
         ends(type, "+yaml") || begins(type, "application/pgp-") ||
         is_one_of(type, others, COUNT(others));
}

/* In a browser, and libmagic finds it by more than a guess. */
static bool runs(const char *type) {
  return strcmp(type, "text/html") == 0 || strcmp(type, "image/svg+xml") == 0;
}

static bool is_zip(const char *type) {
  static const char *const others[] = {
      "application/zip",       "application/java-archive",
      "application/xpinstall", "application/vnd.android.package-archive",
      "application/vsix",      "application/vnd.google-earth.kmz",
      "application/3mf",       "model/3mf"};
  return ends(type, "+zip") || is_one_of(type, others, COUNT(others)) ||
         begins(type, "application/vnd.openxmlformats-") ||
         begins(type, "application/vnd.oasis.opendocument.") ||
         (begins(type, "application/vnd.ms-") &&
          strstr(type, ".macroenabled.") != NULL);
}

/* Office files of before 2007, of which libmagic may know no more than that.
 */
static bool is_ole(const char *type) {
  static const char *const found[] = {
      "application/ole-storage", "application/cdfv2", "application/cdf",
      "application/vnd.ms-office", "application/cdfv2-encrypted"};
  static const char *const said[] = {
      "application/msword",           "application/msi",
      "application/vnd.visio",        "application/vnd.ms-excel",
      "application/vnd.ms-outlook",   "application/vnd.ms-powerpoint",
      "application/vnd.ms-project",   "application/vnd.ms-works",
      "application/vnd.ms-publisher", "application/mspublisher"};
  return is_one_of(type, found, COUNT(found)) ||
         is_one_of(type, said, COUNT(said));
}

/* One container, whatever is in it. */
static bool is_in_one_box(const char *said, const char *found) {
  static const char *const boxes[][6] = {
      {"video/mp4", "audio/mp4", "video/quicktime", "video/3gpp",
       "application/mp4", "video/3gpp2"},
      {"video/webm", "audio/webm", "video/matroska", "audio/matroska"},
      {"application/ogg", "audio/ogg", "video/ogg", "audio/opus"},
      {"image/heic", "image/heif", "image/heic-sequence",
       "image/heif-sequence"},
      {"video/ms-asf", "audio/ms-wma", "video/ms-wmv",
       "application/vnd.ms-asf"},
      {"video/mpeg", "audio/mpeg", "video/mp2t", "video/mp2p"},
      {"application/gzip", "application/tar", "application/tgz",
       "application/compressed-tar"},
      {"application/dosexec", "application/msi", "application/exe"},
      {"application/executable", "application/sharedlib",
       "application/pie-executable", "application/object"}};
  for (size_t i = 0; i < COUNT(boxes); i++) {
    bool one = false, other = false;
    for (size_t k = 0; k < COUNT(boxes[i]) && boxes[i][k] != NULL; k++) {
      one |= strcmp(boxes[i][k], said) == 0;
      other |= strcmp(boxes[i][k], found) == 0;
    }
    if (one && other)
      return true;
  }
  return false;
}

bool mediatype_agrees(const char *said_name, const char *found_name) {
  char said[MEDIATYPE_MAX], found[MEDIATYPE_MAX];
  main_name(said_name, said);
  main_name(found_name, found);
  if (strcmp(said, found) == 0 || strcmp(said, MEDIATYPE_UNKNOWN) == 0 ||
      strcmp(found, MEDIATYPE_UNKNOWN) == 0 ||
      strcmp(found, MEDIATYPE_EMPTY) == 0)
    return true;
  if (is_text(said) && is_text(found))
    return !runs(found) || runs(said) || is_xml(said) ||
           strcmp(said, "text/plain") == 0 ||
           strcmp(said, "text/markdown") == 0;
  return (strcmp(found, "application/zip") == 0 && is_zip(said)) ||
         (strcmp(said, "application/zip") == 0 && is_zip(found)) ||
         (is_ole(said) && is_ole(found)) || is_in_one_box(said, found);
}
