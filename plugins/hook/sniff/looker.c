/* SPDX-License-Identifier: MIT
 *
 * Everything is opened and allocated once before the rules: libmagic, its
 * database, the zone of times, a buffer.  From then on the kernel ends the
 * process at the first call that isn't in the list.
 */
#include "looker.h"

#include <errno.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "cell.h"
#include "sniffwire.h"

#define LOOK_MAX ((size_t)1 << 20) /* bytes of one object */
#define LOOK_SECONDS 60            /* of the processor, for one object */

void looker_silence(void) {
  if (!cell_is_open())
    dup2(STDOUT_FILENO, STDERR_FILENO);
}

/* ---- the socket --------------------------------------------------------- */

static bool read_all(void *out, size_t size) {
  for (char *at = out; size > 0;) {
    ssize_t got = read(SNIFFWIRE_FD, at, size);
    if (got <= 0)
      return false;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

static bool looker_say(enum sniffwire_word word, const char *text) {
  unsigned char bytes[SNIFFWIRE_MAX];
  size_t size = sniffwire_write(bytes, word, text);
  for (size_t done = 0; done < size;) {
    ssize_t put = write(SNIFFWIRE_FD, bytes + done, size - done);
    if (put <= 0)
      return false;
    done += (size_t)put;
  }
  return true;
}

/* ---- libmagic ----------------------------------------------------------- */

static bool load(magic_t magic, const char **why) {
  struct stat st;
  *why = "can't be read";
  if (fstat(SNIFFWIRE_DATABASE_FD, &st) != 0)
    return false;
  *why = "is no compiled database of libmagic; `file -C -m NAME` makes one";
  size_t size = (size_t)st.st_size;
  if (!S_ISREG(st.st_mode) || st.st_size < 16)
    return false;
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                     SNIFFWIRE_DATABASE_FD, 0);
  if (bytes == MAP_FAILED) {
    *why = strerror(errno);
    return false;
  }
  close(SNIFFWIRE_DATABASE_FD);
  return magic_load_buffers(magic, &bytes, &size, 1) == 0;
}

static void look(magic_t magic, const void *bytes, size_t size) {
  const struct itimerval limit = {.it_value = {.tv_sec = LOOK_SECONDS}};
  const struct itimerval none = {.it_value = {.tv_sec = 0}};
  setitimer(ITIMER_PROF, &limit, NULL);
  /* As file(1) has it, which calls it so before it asks libmagic. */
  const char *type =
      size == 0 ? "inode/x-empty" : magic_buffer(magic, bytes, size);
  setitimer(ITIMER_PROF, &none, NULL);
  const char *why = type == NULL ? magic_error(magic) : NULL;
  bool said = type != NULL ? looker_say(SNIFFWIRE_TYPE, type)
                           : looker_say(SNIFFWIRE_FAILED,
                                        why == NULL ? "libmagic fails" : why);
  if (!said)
    _exit(0);
}

static void serve(magic_t magic, void *buffer) {
  unsigned char head[SNIFFWIRE_HEAD];
  while (read_all(head, sizeof head)) {
    size_t size = sniffwire_length(head);
    if (size > LOOK_MAX || !read_all(buffer, size))
      return;
    look(magic, buffer, size);
  }
}

void looker_serve(void) {
  const char *why = NULL;
  magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS);
  void *buffer = malloc(LOOK_MAX);
  tzset();
  if (magic == NULL || buffer == NULL)
    looker_say(SNIFFWIRE_FAILED, "has no memory");
  else if (!load(magic, &why))
    looker_say(SNIFFWIRE_FAILED, why);
  else if (magic_buffer(magic, "warm", 4) == NULL) /* what it makes once */
    looker_say(SNIFFWIRE_FAILED, "isn't one that libmagic can use");
  else if ((why = cell_close()) != NULL)
    looker_say(SNIFFWIRE_FAILED, why);
  else if (looker_say(SNIFFWIRE_READY, ""))
    serve(magic, buffer);
  free(buffer);
  if (magic != NULL)
    magic_close(magic);
}
