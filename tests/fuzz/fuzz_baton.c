/* SPDX-License-Identifier: MIT
 *
 * Any bytes, in two pieces, as what the gateway says that hands over its
 * sockets: the first byte is the length of the first piece, the second how
 * many descriptors come with it.  A record that is taken has a text that
 * ends, and as many descriptors as it says; of others none is left open.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "baton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FDS 8

static void say(int to, const uint8_t *data, size_t size, size_t fds) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(FDS * sizeof(int))];
  } rights = {0};
  const int lent = STDERR_FILENO;
  struct iovec bytes = {(void *)data, size};
  struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
  if (size == 0)
    return;
  if (fds > 0) {
    message.msg_control = &rights;
    message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds * sizeof(int));
    for (size_t i = 0; i < fds; i++)
      memcpy(CMSG_DATA(header) + i * sizeof lent, &lent, sizeof lent);
  }
  ssize_t sent = sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  assert(sent == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct baton baton;
  struct errmsg err = {""};
  int pair[2];
  if (size < 2 || size > 8192)
    return 0;
  size_t first = data[0], fds = data[1] % (FDS + 1);
  data += 2, size -= 2;
  if (first > size)
    first = size;
  int made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  assert(made == 0);
  say(pair[0], data, first, fds);
  say(pair[0], data + first, size - first, 0);
  close(pair[0]);
  while (baton_receive(pair[1], &baton, &err)) {
    assert(memchr(baton.text, '\0', sizeof baton.text) != NULL);
    assert(baton.kind >= BATON_LISTEN && baton.kind <= BATON_YOURS);
    for (size_t i = 0; i < baton.count; i++)
      assert(baton.fds[i] > 2);
    baton_close_fds(&baton);
  }
  assert(baton.count == 0 && err.text[0] != '\0');
  close(pair[1]);
  /* Nothing is left open: the lowest number is what it was. */
  int lowest = dup(2);
  assert(lowest == (pair[0] < pair[1] ? pair[0] : pair[1]));
  close(lowest);
  return 0;
}
