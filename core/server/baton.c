/* SPDX-License-Identifier: MIT
 *
 * Records with SCM_RIGHTS.  Those of a version that is written otherwise have
 * another mark, and nothing is guessed of them.
 */
#include "baton.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MARK 0x31424c53u /* "SLB1" */

struct record {
  uint32_t mark, kind, count;
  char text[BATON_TEXT_MAX];
};

union rights {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(BATON_FDS_MAX * sizeof(int))];
};

bool baton_send(int socket, enum baton_kind kind, const char *text,
                const int *fds, size_t count) {
  struct record record = {
      .mark = MARK, .kind = (uint32_t)kind, .count = (uint32_t)count};
  union rights rights = {0};
  struct iovec bytes = {&record, sizeof record};
  struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
  if (count > BATON_FDS_MAX)
    return false;
  snprintf(record.text, sizeof record.text, "%s", text);
  if (count > 0) {
    message.msg_control = &rights;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
         (ssize_t)sizeof record;
}

void baton_close_fds(struct baton *baton) {
  for (size_t i = 0; i < baton->count; i++)
    close(baton->fds[i]);
  baton->count = 0;
}

/* More than one record's are nobody's. */
static void take_rights(struct msghdr *message, struct baton *baton) {
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  for (; header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
      continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      if (baton->count < BATON_FDS_MAX)
        baton->fds[baton->count++] = fd;
      else
        close(fd);
    }
  }
}

static bool receive_bytes(int socket, struct record *record,
                          struct baton *baton, size_t *got) {
  union rights rights;
  struct iovec bytes = {(char *)record + *got, sizeof *record - *got};
  struct msghdr message = {.msg_iov = &bytes,
                           .msg_iovlen = 1,
                           .msg_control = &rights,
                           .msg_controllen = sizeof rights};
  ssize_t size;
  do
    size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  if (size <= 0)
    return false;
  take_rights(&message, baton);
  *got += (size_t)size;
  return true;
}

bool baton_receive(int socket, struct baton *baton, struct errmsg *errmsg) {
  struct record record = {0};
  size_t got = 0;
  *baton = (struct baton){.kind = BATON_END};
  while (got < sizeof record) {
    errno = 0;
    if (!receive_bytes(socket, &record, baton, &got)) {
      int error = errno;
      baton_close_fds(baton);
      baton->over = error == 0 || error == ECONNRESET;
      return errmsg_set(errmsg, "the other gateway %s%s",
                        error == 0 ? "has closed the connection"
                                   : "isn't heard of: ",
                        error == 0 ? "" : strerror(error));
    }
    if (got >= sizeof record.mark && record.mark != MARK)
      break;
  }
  bool ok = record.mark == MARK && record.kind >= BATON_LISTEN &&
            record.kind <= BATON_YOURS && record.count == baton->count &&
            memchr(record.text, '\0', sizeof record.text) != NULL;
  if (!ok) {
    baton_close_fds(baton);
    return errmsg_set(errmsg,
                      "what answers there doesn't hand over: it is another "
                      "version, or no gateway");
  }
  baton->kind = (enum baton_kind)record.kind;
  memcpy(baton->text, record.text, sizeof baton->text);
  return true;
}
