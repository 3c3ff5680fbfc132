/* SPDX-License-Identifier: MIT
 *
 * Chunks of upload widgets are known by their fields, and nobody else's forms
 * are taken for them.
 */
#include "chunkform.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* The verdict on the last of these fields, which blanks part. */
static const char *see_all(const char *fields) {
  struct chunkform form = {0};
  const char *widget = NULL;
  char copy[256], *at = copy;
  snprintf(copy, sizeof copy, "%s", fields);
  for (char *field; (field = strsep(&at, " "));)
    widget = chunkform_see(&form, field);
  return widget;
}

static void test_chunks_are_known_by_their_fields(void) {
  static const struct {
    const char *fields, *widget;
  } rows[] = {
      {"dzuuid dzchunkindex", "Dropzone"},
      {"dztotalchunkcount", "Dropzone"},
      {"prefix file resumableChunkNumber", "resumable.js"},
      {"resumableTotalChunks", "resumable.js"},
      {"flowChunkNumber", "flow.js"},
      {"flowTotalChunks", "flow.js"},
      {"qquuid qqpartindex", "Fine Uploader"},
      {"_chunkNumber", "ng-file-upload"},
      {"name chunk chunks", "Plupload"},
      {"chunks file chunk", "Plupload"},
      {"chunks chunk other", "Plupload"},
      {"chunkNumber identifier totalChunks", "simple-uploader.js"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *widget = see_all(rows[i].fields);
    ROW(rows[i].fields, widget != NULL && strcmp(widget, rows[i].widget) == 0);
  }
}

static void test_other_forms_are_nobodys_chunks(void) {
  static const char *const rows[] = {
      "file",
      "prefix file",
      "qquuid qqfilename qqtotalfilesize",
      "chunk chunk",
      "chunks",
      "chunkNumber",
      "",
      "Dzchunkindex",
      "dzchunkindexes",
      "chunk totalChunks",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], see_all(rows[i]) == NULL);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_chunks_are_known_by_their_fields),
      UNIT(test_other_forms_are_nobodys_chunks),
      {NULL, NULL}};
  return unit_main("chunkform", tests);
}
