/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a stage's record, and as the name of one.  A record that is
 * read comes back from its own text; a name leads to itself.
 */
#include "stagename.h"
#include "stagerecord.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const char *text) {
  struct stagerecord record, back;
  struct buf out;

  if (!stagerecord_read(&record, text))
    return;
  buf_init(&out, STAGERECORD_MAX);
  assert(stagerecord_write(&out, &record));
  if (record.committing)
    assert(stagerecord_write_commit(&out, &record));
  assert(stagerecord_read(&back, out.data));
  assert(stagerecord_offset(&back) == stagerecord_offset(&record));
  assert(back.committing == record.committing);
  assert(strcmp(back.key, record.key) == 0);
  stagerecord_fini(&back);
  stagerecord_fini(&record);
  buf_fini(&out);
}

static void check_name(const char *text) {
  struct stagename_record record;
  char base[STAGENAME_BASE_LEN + 1], name[STAGENAME_MAX];

  if (!stagename_read(&record, text))
    return;
  assert(stagename_folder(base, text));
  stagename_write(name, base, &record);
  assert(strcmp(name, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = strndup((const char *)data, size);

  if (!text)
    return 0;
  check_record(text);
  check_name(text);
  free(text);
  return 0;
}
