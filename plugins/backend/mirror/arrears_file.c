/* SPDX-License-Identifier: MIT
 *
 * The file of arrears on the disk: `queue`, and `lock` beside it, which one
 * gateway holds.
 */
#include "arrears_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "siphash.h"

#define QUEUE "queue"
#define NEXT "queue.new"
#define FORMAT "sluice-mirror 1 "
#define SUM_LEN 16
#define SET_AT (SUM_LEN + 1) /* in a line */
#define KEY_AT (SET_AT + 3)
#define OUT_MAX (64U << 20)
#define PIECE_MAX (1U << 20) /* of a new file, in memory */

struct arrears_file {
  int dir, lock, fd;
  int next; /* the new one; -1: none is written */
  char *names;
  struct buf out; /* lines that aren't written yet */
  off_t length;   /* of what is durable, or will be by the next sync */
  off_t needed;   /* when it was written anew */
  off_t put;      /* bytes of the new one */
  bool broken;
  int error;
};

/* ---- bytes ------------------------------------------------------------- */

static bool write_out(struct arrears_file *file, int fd, off_t at) {
  const struct buf *out = &file->out;
  for (size_t done = 0; done < out->len;) {
    ssize_t put =
        pwrite(fd, out->data + done, out->len - done, at + (off_t)done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0) {
      file->error = put < 0 ? errno : EIO;
      return false;
    }
    done += (size_t)put;
  }
  return true;
}

static bool write_piece(struct arrears_file *file) {
  bool written = write_out(file, file->next, file->put);
  file->put += written ? (off_t)file->out.len : 0;
  buf_clear(&file->out);
  return written;
}

/* ---- lines -------------------------------------------------------------- */

static uint64_t line_sum(const char *text, size_t len) {
  static const unsigned char key[SIPHASH_KEY_LEN] = "sluice-mirror-q";
  return siphash(key, text, len);
}

/* False: it is no whole line. */
static bool parse_line(const char *line, size_t len, unsigned *owed) {
  char sum[SUM_LEN + 1], *end;
  if (len <= KEY_AT || line[SUM_LEN] != ' ' || line[KEY_AT - 1] != ' ')
    return false;
  snprintf(sum, sizeof sum, "%016" PRIx64,
           line_sum(line + SET_AT, len - SET_AT));
  if (memcmp(sum, line, SUM_LEN) != 0 || memchr(line, '\0', len) != NULL)
    return false;
  *owed = (unsigned)strtoul(line + SET_AT, &end, 16);
  return end == line + KEY_AT - 1;
}

bool arrears_file_add(struct arrears_file *file, const char *key,
                      unsigned owed) {
  struct buf *out = &file->out;
  size_t at = out->len;
  char sum[SUM_LEN + 1];
  if (!buf_addf(out, "%0*d %02x %s", SUM_LEN, 0, owed, key) ||
      !buf_addc(out, '\n')) {
    file->error = ENOMEM;
    out->overflown = false;
    out->len = at;
    return false;
  }
  snprintf(sum, sizeof sum, "%016" PRIx64,
           line_sum(out->data + at + SET_AT, out->len - at - SET_AT - 1));
  memcpy(out->data + at, sum, SUM_LEN);
  return file->next < 0 || out->len < PIECE_MAX || write_piece(file);
}

/* ---- writes ------------------------------------------------------------- */

/* After a failed fdatasync() nobody knows what the disk has, so that nothing
 * may be added behind it. */
bool arrears_file_sync(struct arrears_file *file) {
  if (file->broken)
    return false;
  if (file->out.len == 0)
    return true;
  bool written = write_out(file, file->fd, file->length);
  if (written && fdatasync(file->fd) == 0) {
    file->length += (off_t)file->out.len;
  } else {
    if (written)
      file->error = errno;
    file->broken = written || ftruncate(file->fd, file->length) != 0;
    written = false;
  }
  buf_clear(&file->out);
  return written;
}

void arrears_file_flush(struct arrears_file *file) {
  if (file->broken || file->out.len == 0)
    return;
  if (write_out(file, file->fd, file->length))
    file->length += (off_t)file->out.len;
  else
    file->broken = ftruncate(file->fd, file->length) != 0;
  buf_clear(&file->out);
}

bool arrears_file_is_long(const struct arrears_file *file) {
  return file->length > 2 * file->needed + ARREARS_FILE_LONG;
}

bool arrears_file_begin(struct arrears_file *file) {
  buf_clear(&file->out);
  file->put = 0;
  file->next = openat(file->dir, NEXT, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
  if (file->next < 0)
    file->error = errno;
  return file->next >= 0 && buf_adds(&file->out, FORMAT) &&
         buf_adds(&file->out, file->names) && buf_addc(&file->out, '\n');
}

static bool rename_next(struct arrears_file *file) {
  if (fdatasync(file->next) == 0 &&
      renameat(file->dir, NEXT, file->dir, QUEUE) == 0)
    return true;
  file->error = errno;
  return false;
}

bool arrears_file_replace(struct arrears_file *file) {
  if (!write_piece(file) || !rename_next(file))
    return false;
  if (file->fd >= 0)
    close(file->fd);
  file->fd = file->next;
  file->next = -1;
  file->length = file->needed = file->put;
  if (fsync(file->dir) == 0)
    return true;
  file->error = errno;
  file->broken = true; /* or the old one is there, or the new one */
  return false;
}

void arrears_file_keep(struct arrears_file *file) {
  buf_clear(&file->out);
  file->needed = file->length / 2; /* it grows before the next try */
  if (file->next < 0)
    return;
  close(file->next);
  file->next = -1;
  (void)unlinkat(file->dir, NEXT, 0);
}

/* ---- reads -------------------------------------------------------------- */

static char *read_whole(struct arrears_file *file, size_t *len) {
  struct stat st;
  if (fstat(file->fd, &st) != 0)
    return NULL;
  char *text = malloc((size_t)st.st_size + 1);
  for (*len = 0; text != NULL && *len < (size_t)st.st_size;) {
    ssize_t got =
        pread(file->fd, text + *len, (size_t)st.st_size - *len, (off_t)*len);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      free(text);
      return NULL;
    }
    *len += (size_t)got;
  }
  if (text != NULL)
    text[*len] = '\0';
  return text;
}

/* The keys of a queue mean storages by their places in the list. */
static bool check_first(const struct arrears_file *file, const char *text,
                        const char *end, struct errmsg *err) {
  size_t format = strlen(FORMAT), names = strlen(file->names);
  if ((size_t)(end - text) == format + names &&
      memcmp(text, FORMAT, format) == 0 &&
      memcmp(text + format, file->names, names) == 0)
    return true;
  return errmsg_set(err,
                    "the queue has keys and begins with '%.*s', so it isn't "
                    "of these backends in this order (%s); write `over` as it "
                    "was until they are healed, or name another directory",
                    (int)(end - text > 200 ? 200 : end - text), text,
                    file->names);
}

enum arrears_file_end
arrears_file_load(struct arrears_file *file,
                  bool (*line)(void *, const char *, unsigned), void *arg,
                  struct arrears_read *read, struct errmsg *err) {
  size_t len, bad = 0, bad_at = 0;
  *read = (struct arrears_read){.keys = 0};
  if (file->fd < 0)
    return ARREARS_FILE_READ;
  char *text = read_whole(file, &len), *at = text;
  if (text == NULL) {
    errmsg_set(err, "the queue can't be read: %s; check the disk",
               strerror(errno));
    return ARREARS_FILE_BAD;
  }
  enum arrears_file_end end = ARREARS_FILE_READ;
  for (char *stop; end == ARREARS_FILE_READ && at < text + len;
       at = stop + 1) {
    unsigned owed;
    stop = memchr(at, '\n', (size_t)(text + len - at));
    bool whole = stop != NULL;
    if (!whole)
      stop = text + len;
    *stop = '\0';
    if (at == text) {
      read->other = !check_first(file, at, stop, err);
    } else if (!whole || !parse_line(at, (size_t)(stop - at), &owed)) {
      bad_at = bad++ == 0 ? (size_t)(at - text) : bad_at;
    } else {
      read->damaged += bad;
      bad = 0;
      if (!line(arg, at + KEY_AT, owed))
        end = ARREARS_FILE_REFUSED;
    }
  }
  read->cut = bad == 0 ? 0 : len - bad_at;
  free(text);
  return end;
}

/* ---- life --------------------------------------------------------------- */

static bool enter(struct arrears_file *file, const char *directory,
                  struct errmsg *err) {
  if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST)
    return errmsg_set(err, "directory %s can't be made: %s; make it",
                      directory, strerror(errno));
  file->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file->dir >= 0)
    file->lock = openat(file->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC,
                        S_IRUSR | S_IWUSR);
  if (file->lock < 0)
    return errmsg_set(err,
                      "directory %s can't be written: %s; it must be one that "
                      "the gateway may use",
                      directory, strerror(errno));
  if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
    return errmsg_set(err,
                      "directory %s can't be locked: %s; stop the gateway "
                      "that uses it, or name another directory",
                      directory, strerror(errno));
  file->fd = openat(file->dir, QUEUE, O_RDWR | O_CLOEXEC);
  return file->fd >= 0 || errno == ENOENT ||
         errmsg_set(err,
                    "the queue in %s can't be opened: %s; check its owner",
                    directory, strerror(errno));
}

struct arrears_file *arrears_file_open(const char *directory,
                                       const char *names, struct errmsg *err) {
  struct arrears_file *file = calloc(1, sizeof *file);
  if (file == NULL) {
    errmsg_set(err, "no memory is left");
    return NULL;
  }
  file->dir = file->lock = file->fd = file->next = -1;
  file->names = strdup(names);
  buf_init(&file->out, OUT_MAX);
  if (file->names == NULL)
    errmsg_set(err, "no memory is left");
  else if (enter(file, directory, err))
    return file;
  arrears_file_close(file);
  return NULL;
}

void arrears_file_close(struct arrears_file *file) {
  if (file == NULL)
    return;
  if (!file->broken && file->fd >= 0)
    (void)arrears_file_sync(file);
  const int fds[] = {file->fd, file->next, file->lock, file->dir};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  buf_fini(&file->out);
  free(file->names);
  free(file);
}

bool arrears_file_is_broken(const struct arrears_file *file) {
  return file->broken;
}

const char *arrears_file_fault(const struct arrears_file *file) {
  return file->error == 0 ? "no reason given" : strerror(file->error);
}
