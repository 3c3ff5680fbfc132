/* SPDX-License-Identifier: MIT
 *
 * Runs a fuzz target over every file of the folders that are its arguments,
 * for compilers without a fuzzer; without arguments fuzz_NAME runs over
 * tests/fuzz/corpus/NAME.  A target that finds something aborts.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(INPUT_MAX);
  size_t size = file && data ? fread(data, 1, INPUT_MAX, file) : 0;
  int failed = !file || !data || ferror(file) || !feof(file);
  if (failed)
    printf("FAIL %s: can't be read, or is over 1 MiB\n", path);
  else {
    /* A block of its size: reads past its end are noticed. */
    uint8_t *input = realloc(data, size ? size : 1);
    data = input ? input : data;
    LLVMFuzzerTestOneInput(data, size);
  }
  free(data);
  if (file)
    fclose(file);
  return failed;
}

static int run_folder(const char *folder, unsigned *passed) {
  int failed = 0;
  DIR *dir = opendir(folder);
  if (!dir) {
    printf("FAIL %s: can't be read\n", folder);
    return 1;
  }
  for (struct dirent *entry; (entry = readdir(dir));) {
    char path[4096];
    if (entry->d_name[0] == '.')
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    int bad = run_file(path);
    failed += bad;
    *passed += !bad;
  }
  closedir(dir);
  return failed;
}

static int run_corpus(unsigned *passed) {
  const char *root = getenv("srcdir");
  const char *name = strchr(program_invocation_short_name, '_');
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", root ? root : ".",
           name ? name + 1 : "");
  return run_folder(path, passed);
}

int main(int argc, char **argv) {
  unsigned passed = 0;
  int failed = argc > 1 ? 0 : run_corpus(&passed);
  for (int i = 1; i < argc; i++)
    failed += run_folder(argv[i], &passed);
  printf("%u passed, %d failed\n", passed, failed);
  return failed || !passed;
}
