/* SPDX-License-Identifier: MIT
 *
 * The lines of a log go to a sink.  A reader that doesn't read (a pipe, a
 * socket) is never waited for: that is EAGAIN, and the caller comes again.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define SYSLOG "syslog:"
#define SYSLOG_SOCKET "/dev/log"
#define TAG_MAX 32
#define FILE_MODE 0640

struct sink {
  const struct sink_conf *conf;
  const char *socket; /* of syslog, or NULL */
  int fd;
  bool is_socket; /* standard output, as a service manager gives it */
  bool shared;    /* not to be made non-blocking: others use it too */
  char lead[64];  /* of a message to syslog */
};

static const struct {
  const char *name;
  int value;
} facilities[] = {
    {"user", LOG_USER},         {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH},
    {"authpriv", LOG_AUTHPRIV}, {"syslog", LOG_SYSLOG}, {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
    {"local7", LOG_LOCAL7}};

/* ---- open --------------------------------------------------------------- */

/* A FIFO is opened for both directions, so that it needs no reader and keeps
 * what it holds when one leaves. */
static int open_file(const char *path, struct errmsg *err) {
  const int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  struct stat st;
  int fd = open(path, O_WRONLY | flags, FILE_MODE);
  if (fd < 0 && errno == ENXIO)
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    errmsg_set(err,
               "path: %s can't be opened: %s; create its folder, or "
               "choose another path",
               path, strerror(errno));
    return -1;
  }
  if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
    close(fd);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
      errmsg_set(err,
                 "path: %s can't be opened: %s; let the gateway's user "
                 "read and write it",
                 path, strerror(errno));
  }
  return fd;
}

/* A description of our own, where there can be one: to make the inherited one
 * non-blocking would change it for everybody who has it. */
static int open_stdout(struct sink *sink, struct errmsg *err) {
  struct stat st;
  if (fstat(STDOUT_FILENO, &st) < 0) {
    errmsg_set(err, "path: standard output is closed; open it, or write a "
                    "path to a file");
    return -1;
  }
  sink->is_socket = S_ISSOCK(st.st_mode);
  int fd = sink->is_socket
               ? -1
               : open("/proc/self/fd/1",
                      O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  sink->shared = fd < 0;
  if (fd < 0)
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    errmsg_set(err,
               "path: standard output can't be used: %s; write a path to "
               "a file",
               strerror(errno));
  return fd;
}

static int open_syslog(const struct sink *sink, struct errmsg *err) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t len = strlen(sink->socket);
  if (len >= sizeof address.sun_path) {
    errmsg_set(err, "path: %s is too long for a socket; choose a shorter one",
               sink->conf->path);
    return -1;
  }
  memcpy(address.sun_path, sink->socket, len);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  errmsg_set(err,
             "path: syslog's socket %s doesn't answer: %s; start syslog, "
             "or choose another path",
             sink->socket, strerror(errno));
  if (fd >= 0)
    close(fd);
  return -1;
}

static int open_again(struct sink *sink, struct errmsg *err) {
  if (sink->socket != NULL)
    return open_syslog(sink, err);
  return strcmp(sink->conf->path, "-") == 0 ? open_stdout(sink, err)
                                            : open_file(sink->conf->path, err);
}

static bool read_syslog(struct sink *sink, struct errmsg *err) {
  const char *name = sink->conf->facility, *tag = sink->conf->tag;
  const size_t count = sizeof facilities / sizeof *facilities;
  size_t i = 0, len = strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789_.-"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  while (i < count && strcmp(facilities[i].name, name) != 0)
    i++;
  if (i == count)
    return errmsg_set(err,
                      "facility: '%.32s' is not known; write user, "
                      "daemon, auth, authpriv, syslog or local0 to "
                      "local7",
                      name);
  if (len == 0 || len > TAG_MAX || tag[len] != '\0')
    return errmsg_set(err,
                      "tag: '%.40s' can't be used; write 1 to 32 "
                      "letters, digits, _, . and -",
                      tag);
  snprintf(sink->lead, sizeof sink->lead,
           "<%d>%s[%ld]: ", facilities[i].value | LOG_INFO, tag,
           (long)getpid());
  return true;
}

struct sink *sink_new(const struct sink_conf *conf, struct errmsg *err) {
  struct sink *sink = calloc(1, sizeof *sink);
  if (sink == NULL) {
    errmsg_set(err, "there is no memory; lower limits.memory");
    return NULL;
  }
  sink->conf = conf;
  sink->fd = -1;
  if (strncmp(conf->path, SYSLOG, strlen(SYSLOG)) == 0) {
    sink->socket = conf->path + strlen(SYSLOG);
    if (*sink->socket == '\0')
      sink->socket = SYSLOG_SOCKET;
  }
  if (conf->path[0] == '\0')
    errmsg_set(err, "path is empty; write the path of a file, or \"-\"");
  else if (read_syslog(sink, err))
    sink->fd = open_again(sink, err);
  if (sink->fd >= 0)
    return sink;
  sink_free(sink);
  return NULL;
}

void sink_free(struct sink *sink) {
  if (sink == NULL)
    return;
  if (sink->fd >= 0)
    close(sink->fd);
  free(sink);
}

static bool is_same(int a, int b) {
  struct stat left, right;
  return fstat(a, &left) == 0 && fstat(b, &right) == 0 &&
         left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

bool sink_reopen(struct sink *sink, bool *moved, struct errmsg *err) {
  int fd = open_again(sink, err);
  if (fd < 0)
    return false;
  *moved = !is_same(fd, sink->fd);
  close(sink->fd);
  sink->fd = fd;
  return true;
}

/* ---- write -------------------------------------------------------------- */

/* One piece; with a descriptor that may block, no more than a pipe is sure to
 * take once it is ready. */
static ssize_t write_some(const struct sink *sink, const char *data,
                          size_t len) {
  struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
  if (sink->is_socket)
    return send(sink->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (!sink->shared)
    return write(sink->fd, data, len);
  if (poll(&ready, 1, 0) == 1)
    return write(sink->fd, data, len < PIPE_BUF ? len : PIPE_BUF);
  errno = EAGAIN;
  return -1;
}

static size_t write_stream(const struct sink *sink, const char *data,
                           size_t len, int *error) {
  size_t done = 0;
  while (done < len) {
    ssize_t n = write_some(sink, data + done, len - done);
    if (n > 0) {
      done += (size_t)n;
    } else if (n == 0 || errno != EINTR) {
      *error = n == 0 ? EIO : errno;
      break;
    }
  }
  return done;
}

/* A line of a message. */
static bool send_line(struct sink *sink, const char *data, size_t len) {
  struct iovec parts[] = {{sink->lead, strlen(sink->lead)},
                          {(char *)data, len}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  ssize_t n;
  do
    n = sendmsg(sink->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n >= 0;
}

/* Syslog may have been started again since. */
static bool send_surely(struct sink *sink, const char *data, size_t len) {
  struct errmsg ignored;
  bool moved;
  if (send_line(sink, data, len))
    return true;
  int error = errno;
  if (error == EAGAIN || error == ENOBUFS ||
      !sink_reopen(sink, &moved, &ignored)) {
    errno = error;
    return false;
  }
  return send_line(sink, data, len);
}

static size_t write_syslog(struct sink *sink, const char *data, size_t len,
                           int *error) {
  size_t done = 0;
  while (done < len) {
    const char *end = memchr(data + done, '\n', len - done);
    size_t size = (size_t)(end - (data + done));
    if (!send_surely(sink, data + done, size)) {
      *error = errno;
      break;
    }
    done += size + 1;
  }
  return done;
}

size_t sink_write(struct sink *sink, const char *data, size_t len,
                  int *error) {
  return sink->socket != NULL ? write_syslog(sink, data, len, error)
                              : write_stream(sink, data, len, error);
}
