/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the file of a blob, as they are and with their sum put right:
 * a description that is read is the file's own, and describes it again.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blob.h"
#include "siphash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SUM_AT 48 /* in the tail */

static unsigned long number_at(const unsigned char *at, size_t bytes) {
  unsigned long number = 0;
  while (bytes-- > 0)
    number = number << 8 | at[bytes];
  return number;
}

static void write_file(int fd, const unsigned char *bytes, size_t size) {
  int failed = ftruncate(fd, 0);
  ssize_t written = pwrite(fd, bytes, size, 0);
  assert(failed == 0 && written == (ssize_t)size);
}

static void check_file(int fd, const unsigned char *bytes, size_t size) {
  struct buf again;
  struct row row;
  char *key;
  row_init(&row);
  if (blob_read_description(fd, &key, &row) != SLUICE_OK)
    return;
  assert(row.length <= size);
  assert(blob_mismatch(fd, &row, true) == NULL);
  blob_verify(fd, &row);
  bool described = blob_describe(&again, key, &row);
  assert(described && again.len == size - row.length);
  assert(memcmp(again.data, bytes + row.length, again.len) == 0);
  buf_fini(&again);
  free(key);
  row_fini(&row);
}

/* The sum of the texts and the tail, where the tail says that they are. */
static void put_right(unsigned char *bytes, size_t size) {
  static const unsigned char no_key[SIPHASH_KEY_LEN];
  if (size < BLOB_TAIL_LEN)
    return;
  unsigned char *tail = bytes + size - BLOB_TAIL_LEN;
  unsigned long length = number_at(tail + 16, 8);
  memcpy(tail + 56, "SLUIBLOB", 8);
  if (length > size - BLOB_TAIL_LEN)
    return;
  size_t end = size - BLOB_TAIL_LEN + SUM_AT;
  uint64_t sum = siphash(no_key, bytes + length, end - length);
  for (size_t i = 0; i < 8; i++)
    tail[SUM_AT + i] = (unsigned char)(sum >> 8 * i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1;
  if (fd < 0)
    fd = memfd_create("blob", MFD_CLOEXEC);
  unsigned char *bytes = malloc(size + 1);
  assert(fd >= 0 && bytes != NULL);
  memcpy(bytes, data, size);
  write_file(fd, bytes, size);
  check_file(fd, bytes, size);
  put_right(bytes, size);
  write_file(fd, bytes, size);
  check_file(fd, bytes, size);
  free(bytes);
  return 0;
}
