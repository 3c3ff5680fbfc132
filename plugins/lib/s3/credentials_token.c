/* SPDX-License-Identifier: MIT
 *
 * A token that the platform writes into a file, and writes anew when it likes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "credentials_fetch.h"
#include "digest.h"

static bool read_all(struct buf *token, int fd) {
  char block[1024];
  ssize_t got;
  do {
    got = read(fd, block, sizeof block);
    if (got > 0)
      buf_add(token, block, (size_t)got);
  } while (got > 0 || (got < 0 && errno == EINTR));
  digest_wipe(block, sizeof block);
  return got == 0;
}

static bool credentials_token_is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void credentials_token_trim(struct buf *token) {
  while (token->len > 0 &&
         credentials_token_is_space(token->data[token->len - 1]))
    token->data[--token->len] = '\0';
}

bool credentials_read(struct buf *token, const char *file,
                      struct errmsg *errmsg) {
  buf_clear(token);
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  bool good = fd >= 0 && read_all(token, fd);
  if (!good)
    errmsg_set(errmsg, "the token's file %.200s can't be read: %m", file);
  if (fd >= 0)
    close(fd);
  credentials_token_trim(token);
  if (!good)
    return false;
  if (token->overflown)
    return errmsg_set(errmsg, "the token's file %.200s is over %zu bytes",
                      file, token->max);
  return token->len > 0 ||
         errmsg_set(errmsg, "the token's file %.200s is empty", file);
}
