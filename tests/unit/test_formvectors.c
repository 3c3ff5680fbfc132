/* SPDX-License-Identifier: MIT
 *
 * Runs formdata against the form bodies of another parser's test suite, where
 * they lie (SLUICE_VECTORS).  An expectation comes as a small YAML file; only
 * the shapes that these files have are read.
 */
#include "formlog.h"
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536

static char folder[4096];

/* Expectations that aren't ours, each with its reason. */
static const struct exception {
  const char *name, *boundary, *want;
} exceptions[] = {
    /* Content-Transfer-Encoding is deprecated (RFC 7578, section 4.7): data
     * stays as it was sent. */
    {"base64_encoding", NULL, "[file|test.txt|text/plain]VGVzdCAxMjM=;DONE"},
    {"quoted_printable_encoding", NULL,
     "[file|test.txt|text/plain]foo=3Dbar;DONE"},
    {"mixed_case_headers", NULL,
     "[field1|-|-]VGVzdCAxMjM=;[field2|-|-]VGVzdCAxMjM=;"
     "[Field3|-|-]VGVzdCAxMjM=;DONE"},
    {"mixed_plain_and_base64_encoding", NULL,
     "[field1|-|-]VGVzdCAxMjM=;[field2|-|-]This is a test.;"
     "[field3|-|-]VGVzdCBzdHJpbmcuCg==;[field4|-|-]This is also a test.;"
     "DONE"},
    /* Its YAML names another boundary than its body has. */
    {"single_field_blocks", "boundary",
     "[field|-|-]0123456789ABCDEFGHIJ0123456789ABCDEFGHIJ;DONE"},
    /* Another line than the boundary's is a preamble, and ignored (RFC 2046):
     * the form has no part. */
    {"bad_initial_boundary", NULL, "DONE"},
};

/* ---- files -------------------------------------------------------------- */

static char *read_file(const char *name, const char *extension, size_t *len) {
  char path[sizeof folder + 256];
  snprintf(path, sizeof path, "%s/%.200s.%s", folder, name, extension);
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, FILE_MAX);
  if (file && text)
    *len = fread(text, 1, FILE_MAX - 1, file);
  CU_ASSERT_FATAL(file && text);
  fclose(file);
  return text;
}

/* ---- expectations ------------------------------------------------------- */

struct want {
  char *boundary, *name, *filename, *type;
  bool in_data;
  struct buf data, log; /* of the current part; of all */
};

static void set(char **into, const char *value) {
  free(*into);
  size_t len = strlen(value);
  bool quoted = len >= 2 && strchr("'\"", *value);
  *into = value ? strndup(value + quoted, len - 2 * quoted) : NULL;
}

static void unbase64(struct buf *out, const char *text) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
      "uvwxyz0123456789+/";
  unsigned bits = 0, count = 0;
  for (const char *at; *text && (at = strchr(letters, *text)); text++) {
    bits = (bits << 6 | (unsigned)(at - letters)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      buf_addc(out, (char)(bits >> count & 0xff));
    }
  }
}

static void end_part(struct want *want) {
  if (!want->name)
    return;
  buf_addf(&want->log, "[%s|%s|%s]", want->name,
           want->filename ? want->filename : "-",
           want->type && want->filename ? want->type : "-");
  buf_add(&want->log, want->data.data, want->data.len);
  buf_addc(&want->log, ';');
  buf_clear(&want->data);
  free(want->name);
  free(want->filename);
  free(want->type);
  want->name = want->filename = want->type = NULL;
  want->in_data = false;
}

static void read_line(struct want *want, char *line) {
  const char *text = line + strspn(line, " -");
  char *value = strstr(line, ": ");
  value = value ? value + 2 : line + strlen(line);
  if (want->in_data && !strncmp(line, "      ", 6)) {
    unbase64(&want->data, text);
    return;
  }
  if (!strncmp(line, "  - ", 4))
    end_part(want);
  if (!strncmp(text, "boundary:", 9))
    set(&want->boundary, value);
  else if (!strncmp(text, "name:", 5))
    set(&want->name, value);
  else if (!strncmp(text, "file_name:", 10))
    set(&want->filename, value);
  else if (!strncmp(text, "content_type:", 13))
    set(&want->type, value);
  else if (!strncmp(text, "data:", 5))
    want->in_data = true;
  else if (!strncmp(text, "error:", 6))
    buf_adds(&want->log, "BAD");
}

/* Refusals are told by their offset there, which is nothing that we report:
 * "BAD", or the log that is expected. */
static void read_want(struct want *want, const char *name) {
  size_t len;
  char *text = read_file(name, "yaml", &len), *at = text;
  *want = (struct want){.boundary = NULL};
  buf_init(&want->data, FILE_MAX);
  buf_init(&want->log, FILE_MAX);
  for (char *line; (line = strsep(&at, "\n"));)
    read_line(want, line);
  end_part(want);
  if (strcmp(want->log.data, "BAD") != 0)
    buf_adds(&want->log, "DONE");
  free(text);
}

static void want_fini(struct want *want) {
  buf_fini(&want->data);
  buf_fini(&want->log);
  free(want->boundary);
}

/* ---- tests -------------------------------------------------------------- */

static const struct exception *find_exception(const char *name) {
  for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
    if (!strcmp(exceptions[i].name, name))
      return &exceptions[i];
  return NULL;
}

/* Fields get the parser's default type there, and none here. */
static void drop_field_types(char *log) {
  for (char *at = log; (at = strstr(at, "|-|text/plain")); at++) {
    char *end = strchr(at, ']');
    memmove(at + 4, end, strlen(end) + 1);
    memcpy(at, "|-|-", 4);
  }
}

static bool agrees(const char *name) {
  const struct exception *exception = find_exception(name);
  struct want want;
  size_t len;
  char *body = read_file(name, "http", &len);
  read_want(&want, name);
  const char *expected = exception ? exception->want : want.log.data;
  char *log = formlog_any_cut(
      exception && exception->boundary ? exception->boundary : want.boundary,
      body, len);
  if (log)
    drop_field_types(log);
  bool ok = log && (!strcmp(expected, "BAD") ? !strncmp(log, "BAD: ", 5)
                                             : !strcmp(log, expected));
  if (!ok)
    printf("%s: expected %s\n  came %s\n", name, expected,
           log ? log : "different logs for different cuts");
  free(log);
  free(body);
  want_fini(&want);
  return ok;
}

static void test_bodies_give_what_their_expectations_say(void) {
  DIR *dir = opendir(folder);
  unsigned count = 0;
  CU_ASSERT_FATAL(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char *dot = strrchr(entry->d_name, '.');
    if (!dot || strcmp(dot, ".http") != 0)
      continue;
    *dot = '\0';
    CU_ASSERT(agrees(entry->d_name));
    count++;
  }
  closedir(dir);
  CU_ASSERT(count >= 30);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_bodies_give_what_their_expectations_say), {NULL, NULL}};
  const char *vectors = getenv("SLUICE_VECTORS"), *root = getenv("srcdir");
  if (vectors)
    snprintf(folder, sizeof folder, "%s/multipart", vectors);
  else
    snprintf(folder, sizeof folder, "%s/../shared/vectors/multipart",
             root ? root : ".");
  DIR *dir = opendir(folder);
  if (!dir) {
    printf("skipped: no form vectors in %s, see docs/testing.md\n", folder);
    return UNIT_SKIP;
  }
  closedir(dir);
  return unit_main("formvectors", tests);
}
