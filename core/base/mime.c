/* SPDX-License-Identifier: MIT
 *
 * Media types and the parameters of headers.  Called with what clients and
 * storages send; what is written into a header never ends it early.
 */
#include "mime.h"

#include "codec.h"
#include <stdlib.h>
#include <string.h>

#define SPACE " \t"

struct media {
  const char *extension, *type;
};

/* In byte order of the extensions: it is searched by halves. */
static const struct media media[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apk", "application/vnd.android.package-archive"},
    {"atom", "application/atom+xml"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"deb", "application/vnd.debian.binary-package"},
    {"dmg", "application/x-apple-diskimage"},
    {"doc", "application/msword"},
    {"docx", "application/"
             "vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eml", "message/rfc822"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"exe", "application/vnd.microsoft.portable-executable"},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gz", "application/gzip"},
    {"heic", "image/heic"},
    {"heif", "image/heif"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar"},
    {"iso", "application/x-iso9660-image"},
    {"jar", "application/java-archive"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"jxl", "image/jxl"},
    {"log", "text/plain"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"md", "text/markdown"},
    {"midi", "audio/midi"},
    {"mjs", "text/javascript"},
    {"mkv", "video/matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"msg", "application/vnd.ms-outlook"},
    {"ndjson", "application/x-ndjson"},
    {"odg", "application/vnd.oasis.opendocument.graphics"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/"
             "vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"rar", "application/vnd.rar"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sh", "application/x-sh"},
    {"sql", "application/sql"},
    {"sqlite", "application/vnd.sqlite3"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"ts", "video/mp2t"},
    {"tsv", "text/tab-separated-values"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain"},
    {"vcf", "text/vcard"},
    {"vtt", "text/vtt"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"xsl", "application/xslt+xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

static int compare(const void *name, const void *entry) {
  return strcmp(name, ((const struct media *)entry)->extension);
}

const char *mime_by_name(const char *filename) {
  const char *dot = strrchr(filename, '.');
  char extension[16] = "";
  const struct media *found = NULL;

  if (dot && strlen(dot + 1) < sizeof extension) {
    for (size_t i = 0; dot[i + 1]; i++)
      extension[i] = codec_lower(dot[i + 1]);
    found = bsearch(extension, media, sizeof media / sizeof *media,
                    sizeof *media, compare);
  }
  return found ? found->type : "application/octet-stream";
}

/* Of a token: RFC 9110, section 5.6.2. */
static size_t token_len(const char *at) {
  return strspn(at, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool is_escape(const char *at) {
  return at[0] == '\\' && (at[1] == '"' || at[1] == '\\');
}

/* Of a quoted string with its quotes; 0: it isn't one. */
static size_t quoted_len(const char *from) {
  const char *at = from + 1;

  if (*from != '"')
    return 0;
  for (; *at != '"'; at += is_escape(at) ? 2 : 1)
    if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7F)
      return 0;
  return (size_t)(at + 1 - from);
}

struct parameter {
  const char *name, *value;
  size_t name_len, value_len; /* a quoted value's with its quotes */
};

/* Moves past ";" and the parameter behind it, if any.  MIME_NONE: at the
 * end. */
static enum mime_parameter next(const char **at, struct parameter *is) {
  do {
    *at += strspn(*at, SPACE);
    if (!**at)
      return MIME_NONE;
    if (*(*at)++ != ';')
      return MIME_BAD;
    *at += strspn(*at, SPACE);
  } while (!**at || **at == ';');
  is->name = *at;
  is->name_len = token_len(*at);
  is->value = is->name + is->name_len + 1;
  if (!is->name_len || is->value[-1] != '=')
    return MIME_BAD;
  is->value_len =
      *is->value == '"' ? quoted_len(is->value) : token_len(is->value);
  *at = is->value + is->value_len;
  return is->value_len ? MIME_FOUND : MIME_BAD;
}

bool mime_valid(const char *type) {
  size_t len = strnlen(type, MIME_MAX + 1);
  const char *at = type + token_len(type);
  struct parameter parameter;
  enum mime_parameter result;

  if (len > MIME_MAX || !codec_utf8_valid(type, len))
    return false;
  if (at == type || *at != '/' || !token_len(at + 1))
    return false;
  if (strchr(SPACE, type[len - 1]))
    return false;
  at += 1 + token_len(at + 1);
  do
    result = next(&at, &parameter);
  while (result == MIME_FOUND);
  return result == MIME_NONE;
}

bool mime_active(const char *type) {
  static const char *const active[] = {"text/html",
                                       "text/xml",
                                       "text/xsl",
                                       "text/pdf",
                                       "application/xml",
                                       "application/pdf",
                                       "multipart/x-mixed-replace"};
  static const char xml[] = "+xml";
  size_t len = strcspn(type, SPACE ";");

  if (!mime_valid(type))
    return true;
  for (size_t i = 0; i < sizeof active / sizeof *active; i++)
    if (codec_same(type, len, active[i]))
      return true;
  return len >= sizeof xml - 1 &&
         codec_same(type + len - (sizeof xml - 1), sizeof xml - 1, xml);
}

bool mime_is(const char *type, const char *essence) {
  size_t len = strcspn(type, SPACE ";");
  const char *rest = type + len + strspn(type + len, SPACE);

  return codec_same(type, len, essence) && (!*rest || *rest == ';');
}

static bool put_value(struct buf *out, const struct parameter *is) {
  const char *at = is->value, *end = at + is->value_len;

  if (*at != '"')
    return buf_add(out, at, is->value_len);
  for (at++, end--; at < end; at++) {
    at += is_escape(at);
    if (!buf_addc(out, *at))
      return false;
  }
  return true;
}

enum mime_parameter mime_parameter(struct buf *out, const char *header,
                                   const char *name) {
  const char *at = header + strcspn(header, ";");
  enum mime_parameter result, answer = MIME_NONE;
  struct parameter is;

  buf_clear(out);
  while ((result = next(&at, &is)) == MIME_FOUND) {
    if (!codec_same(is.name, is.name_len, name))
      continue;
    if (answer == MIME_FOUND || !put_value(out, &is))
      return MIME_BAD;
    answer = MIME_FOUND;
  }
  return result == MIME_BAD ? MIME_BAD : answer;
}

/* Lends the name's next character that may be written and moves past it; its
 * length, 0 at the end. */
static size_t next_character(const char **name, const char **character) {
  while (**name) {
    const char *at = *name;
    size_t size = codec_utf8_len(at, strnlen(at, 4));

    *name += size ? size : 1;
    *character = size ? at : "_";
    if (!size || !codec_control(codec_utf8_next(&at)))
      return size ? size : 1;
  }
  return 0;
}

/* As a quoted string in ASCII; false: the name isn't. */
static bool put_plain(struct buf *out, const char *name) {
  const char *character;
  size_t size;
  bool ascii = true;

  buf_addc(out, '"');
  while ((size = next_character(&name, &character))) {
    if (size == 1 && (*character == '"' || *character == '\\'))
      buf_addc(out, '\\');
    buf_addc(out, size == 1 ? *character : '_');
    ascii = ascii && size == 1;
  }
  buf_addc(out, '"');
  return ascii;
}

bool mime_disposition(struct buf *out, bool inline_, const char *filename) {
  const char *character;
  size_t size;

  buf_adds(out, inline_ ? "inline; filename=" : "attachment; filename=");
  if (!put_plain(out, filename)) {
    buf_adds(out, "; filename*=UTF-8''");
    while ((size = next_character(&filename, &character)))
      codec_percent(out, character, size, CODEC_ATTR);
  }
  return !out->overflown;
}
