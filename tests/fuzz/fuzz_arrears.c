/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the file of what a mirror owes, as they are and behind a first
 * line that is right; and each line as a key that is written.  What was
 * written is read.
 */
#include <assert.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arrears_file.h"
#include "buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAMES "a b"
#define FIRST "sluice-mirror 1 " NAMES "\n"
#define SIZE_MAX_HERE 4096

static char folder[] = "/tmp/fuzz-arrears-XXXXXX", path[64];

static void remove_folder(void) {
  char lock[64];
  snprintf(lock, sizeof lock, "%s/lock", folder);
  unlink(lock);
  unlink(path);
  rmdir(folder);
}

static void make_folder(void) {
  if (path[0] != '\0')
    return;
  char *made = mkdtemp(folder);
  assert(made != NULL);
  snprintf(path, sizeof path, "%s/queue", folder);
  atexit(remove_folder);
}

static void write_file(const char *first, const uint8_t *data, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                S_IRUSR | S_IWUSR);
  ssize_t len = (ssize_t)strlen(first);
  bool written = fd >= 0 && write(fd, first, (size_t)len) == len &&
                 write(fd, data, size) == (ssize_t)size;
  assert(written);
  close(fd);
}

static bool on_line(void *arg, const char *key, unsigned owed) {
  struct buf *seen = arg;
  assert(strchr(key, '\n') == NULL);
  return buf_addf(seen, "%02x %s\n", owed, key);
}

static void load(struct buf *seen, struct arrears_read *read) {
  struct errmsg err = {""};
  struct arrears_file *file = arrears_file_open(folder, NAMES, &err);
  assert(file != NULL);
  enum arrears_file_end end =
      arrears_file_load(file, on_line, seen, read, &err);
  assert(end == ARREARS_FILE_READ);
  assert(read->other == (err.text[0] != '\0'));
  arrears_file_close(file);
}

static void check_raw(const char *first, const uint8_t *data, size_t size) {
  struct arrears_read read;
  struct buf seen;
  buf_init(&seen, 1 << 20);
  write_file(first, data, size);
  load(&seen, &read);
  assert(read.cut <= size && (*first == '\0' || !read.other));
  buf_fini(&seen);
}

/* The input's lines become keys; "" is none. */
static void check_written(const char *text) {
  struct arrears_read read;
  struct errmsg err = {""};
  struct buf seen, wanted;
  buf_init(&seen, 1 << 20);
  buf_init(&wanted, 1 << 20);
  struct arrears_file *file = arrears_file_open(folder, NAMES, &err);
  bool begun = file != NULL && arrears_file_begin(file);
  assert(begun);
  for (unsigned owed = 1; *text != '\0'; owed = owed % 255 + 1) {
    size_t len = strcspn(text, "\n");
    char *key = strndup(text, len);
    assert(key != NULL);
    if (len > 0) {
      bool added = arrears_file_add(file, key, owed);
      assert(added && buf_addf(&wanted, "%02x %s\n", owed, key));
    }
    free(key);
    text += len + (text[len] == '\n');
  }
  bool replaced = arrears_file_replace(file);
  assert(replaced);
  arrears_file_close(file);
  load(&seen, &read);
  assert(read.cut == 0 && read.damaged == 0 && !read.other);
  assert(seen.len == wanted.len);
  assert(seen.len == 0 || memcmp(seen.data, wanted.data, seen.len) == 0);
  buf_fini(&seen);
  buf_fini(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > SIZE_MAX_HERE)
    return 0;
  char *text = strndup((const char *)data, size);
  assert(text != NULL);
  make_folder();
  check_raw("", data, size);
  check_raw(FIRST, data, size);
  check_written(text);
  free(text);
  return 0;
}
