/* SPDX-License-Identifier: MIT
 *
 * The table of file types.  Called for each upload with what its name ends in,
 * and for each download with the type that was stored.
 */
#include "filetype.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "mime.h"

struct filetype {
  const char *extension, *type;
  bool active; /* it can hold scripts */
};

/* In byte order of the extensions: it is searched by halves. */
static const struct filetype known[] = {
    {"7z", "application/x-7z-compressed", false},
    {"aac", "audio/aac", false},
    {"apk", "application/vnd.android.package-archive", false},
    {"atom", "application/atom+xml", true},
    {"avi", "video/x-msvideo", false},
    {"avif", "image/avif", false},
    {"bmp", "image/bmp", false},
    {"bz2", "application/x-bzip2", false},
    {"css", "text/css", false},
    {"csv", "text/csv", false},
    {"deb", "application/vnd.debian.binary-package", false},
    {"dmg", "application/x-apple-diskimage", false},
    {"doc", "application/msword", false},
    {"docx",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     false},
    {"eml", "message/rfc822", false},
    {"eot", "application/vnd.ms-fontobject", false},
    {"epub", "application/epub+zip", false},
    {"exe", "application/vnd.microsoft.portable-executable", false},
    {"flac", "audio/flac", false},
    {"geojson", "application/geo+json", false},
    {"gif", "image/gif", false},
    {"glb", "model/gltf-binary", false},
    {"gz", "application/gzip", false},
    {"heic", "image/heic", false},
    {"heif", "image/heif", false},
    {"htm", "text/html", true},
    {"html", "text/html", true},
    {"ico", "image/vnd.microsoft.icon", false},
    {"ics", "text/calendar", false},
    {"iso", "application/x-iso9660-image", false},
    {"jar", "application/java-archive", false},
    {"jpeg", "image/jpeg", false},
    {"jpg", "image/jpeg", false},
    {"js", "text/javascript", false},
    {"json", "application/json", false},
    {"jxl", "image/jxl", false},
    {"log", "text/plain", false},
    {"m4a", "audio/mp4", false},
    {"m4v", "video/mp4", false},
    {"md", "text/markdown", false},
    {"midi", "audio/midi", false},
    {"mjs", "text/javascript", false},
    {"mkv", "video/matroska", false},
    {"mov", "video/quicktime", false},
    {"mp3", "audio/mpeg", false},
    {"mp4", "video/mp4", false},
    {"mpeg", "video/mpeg", false},
    {"mpg", "video/mpeg", false},
    {"msg", "application/vnd.ms-outlook", false},
    {"ndjson", "application/x-ndjson", false},
    {"odg", "application/vnd.oasis.opendocument.graphics", false},
    {"odp", "application/vnd.oasis.opendocument.presentation", false},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet", false},
    {"odt", "application/vnd.oasis.opendocument.text", false},
    {"ogg", "audio/ogg", false},
    {"ogv", "video/ogg", false},
    {"opus", "audio/ogg", false},
    {"otf", "font/otf", false},
    {"pdf", "application/pdf", true},
    {"png", "image/png", false},
    {"ppt", "application/vnd.ms-powerpoint", false},
    {"pptx",
     "application/"
     "vnd.openxmlformats-officedocument.presentationml.presentation",
     false},
    {"ps", "application/postscript", false},
    {"rar", "application/vnd.rar", false},
    {"rss", "application/rss+xml", true},
    {"rtf", "application/rtf", false},
    {"sh", "application/x-sh", false},
    {"sql", "application/sql", false},
    {"sqlite", "application/vnd.sqlite3", false},
    {"svg", "image/svg+xml", true},
    {"tar", "application/x-tar", false},
    {"tgz", "application/gzip", false},
    {"tif", "image/tiff", false},
    {"tiff", "image/tiff", false},
    {"ts", "video/mp2t", false},
    {"tsv", "text/tab-separated-values", false},
    {"ttf", "font/ttf", false},
    {"txt", "text/plain", false},
    {"vcf", "text/vcard", false},
    {"vtt", "text/vtt", false},
    {"wasm", "application/wasm", false},
    {"wav", "audio/wav", false},
    {"webm", "video/webm", false},
    {"webmanifest", "application/manifest+json", false},
    {"webp", "image/webp", false},
    {"woff", "font/woff", false},
    {"woff2", "font/woff2", false},
    {"xhtml", "application/xhtml+xml", true},
    {"xls", "application/vnd.ms-excel", false},
    {"xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     false},
    {"xml", "application/xml", true},
    {"xsl", "application/xslt+xml", true},
    {"xz", "application/x-xz", false},
    {"yaml", "application/yaml", false},
    {"yml", "application/yaml", false},
    {"zip", "application/zip", false},
    {"zst", "application/zstd", false},
};

/* Other names of active types, which no extension has. */
static const char *const also_active[] = {"text/xml", "text/xsl", "text/pdf",
                                          "multipart/x-mixed-replace"};

static int compare(const void *extension, const void *entry) {
  return strcmp(extension, ((const struct filetype *)entry)->extension);
}

const char *filetype_by_name(const char *filename, const struct pair *own) {
  const char *dot = strrchr(filename, '.');
  char extension[FILETYPE_EXTENSION_MAX + 1] = "";
  if (dot == NULL || strlen(dot + 1) > FILETYPE_EXTENSION_MAX)
    return NULL;
  for (size_t i = 0; dot[i + 1] != '\0'; i++)
    extension[i] = codec_lower(dot[i + 1]);
  for (; own != NULL && own->name != NULL; own++)
    if (strcmp(own->name, extension) == 0)
      return own->value;
  const struct filetype *found = bsearch(
      extension, known, sizeof known / sizeof *known, sizeof *known, compare);
  return found == NULL ? NULL : found->type;
}

bool filetype_active(const char *type) {
  static const char xml[] = "+xml";
  size_t len = strcspn(type, " \t;");
  if (!mime_valid(type))
    return true;
  for (size_t i = 0; i < sizeof also_active / sizeof *also_active; i++)
    if (codec_same(type, len, also_active[i]))
      return true;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].active && codec_same(type, len, known[i].type))
      return true;
  return len >= sizeof xml - 1 &&
         codec_same(type + len - (sizeof xml - 1), sizeof xml - 1, xml);
}
