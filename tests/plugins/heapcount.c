/* SPDX-License-Identifier: MIT
 *
 * No plugin, but a library for LD_PRELOAD: counts the bytes that malloc() has
 * given and not got back.  The file that HEAP_COUNT names has them, and the
 * most that they were since somebody set it, as two numbers of eight bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define OWN __attribute__((visibility("default")))

/* glibc's own, below what is counted. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t to, size_t size);
void __libc_free(void *memory);

OWN void *malloc(size_t size);
OWN void *calloc(size_t count, size_t size);
OWN void *realloc(void *memory, size_t size);
OWN void *memalign(size_t to, size_t size);
OWN void *aligned_alloc(size_t to, size_t size);
OWN int posix_memalign(void **memory, size_t to, size_t size);
OWN void free(void *memory);

struct count {
  atomic_int_least64_t now, most;
};

static struct count before; /* the file is there */
static struct count *count = &before;

__attribute__((constructor)) static void share(void) {
  const char *path = getenv("HEAP_COUNT");
  int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return;
  void *shared =
      mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (shared != MAP_FAILED)
    count = shared;
}

static void add(int64_t bytes) {
  int64_t now = atomic_fetch_add(&count->now, bytes) + bytes;
  int64_t most = atomic_load(&count->most);
  while (now > most && !atomic_compare_exchange_weak(&count->most, &most, now))
    ;
}

static int64_t size_of(void *memory) {
  return memory == NULL ? 0 : (int64_t)malloc_usable_size(memory);
}

static void *counted(void *memory) {
  add(size_of(memory));
  return memory;
}

void *malloc(size_t size) {
  return counted(__libc_malloc(size));
}

void *calloc(size_t n, size_t size) {
  return counted(__libc_calloc(n, size));
}

void *realloc(void *memory, size_t size) {
  int64_t had = size_of(memory);
  void *moved = __libc_realloc(memory, size);
  if (moved != NULL || size == 0)
    add(size_of(moved) - had);
  return moved;
}

void *memalign(size_t to, size_t size) {
  return counted(__libc_memalign(to, size));
}

void *aligned_alloc(size_t to, size_t size) {
  return memalign(to, size);
}

int posix_memalign(void **memory, size_t to, size_t size) {
  *memory = memalign(to, size);
  return *memory == NULL ? ENOMEM : 0;
}

void free(void *memory) {
  add(-size_of(memory));
  __libc_free(memory);
}
