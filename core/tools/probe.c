/* SPDX-License-Identifier: MIT
 *
 * One connection and one request, by blocking calls that have a time.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_SIZE 20480

bool probe_init(struct probe *probe, const char *url) {
  *probe = (struct probe){.fd = -1};
  const char *at = strstr(url, "://");
  probe->tls = strncmp(url, "https://", 8) == 0;
  if (at == NULL || (!probe->tls && strncmp(url, "http://", 7) != 0))
    return false;
  at += 3;
  size_t len = strcspn(at, "/?#");
  probe->target = at[len] == '\0' ? "/" : at + len;
  const char *name = at, *end = at + len;
  const char *port = NULL;
  if (*name == '[') {
    name++;
    end = memchr(name, ']', len);
    if (end == NULL)
      return false;
    port = end[1] == ':' ? end + 2 : NULL;
  } else {
    const char *colon = memchr(at, ':', len);
    port = colon == NULL ? NULL : colon + 1;
    end = colon == NULL ? end : colon;
  }
  size_t host = (size_t)(end - name);
  size_t digits = port == NULL ? 0 : (size_t)(at + len - port);
  if (host == 0 || host >= sizeof probe->host || digits >= sizeof probe->port)
    return false;
  memcpy(probe->host, name, host);
  if (digits > 0)
    memcpy(probe->port, port, digits);
  else
    memcpy(probe->port, probe->tls ? "443" : "80", probe->tls ? 4 : 3);
  return true;
}

void probe_fini(struct probe *probe) {
  if (probe->found != NULL)
    freeaddrinfo(probe->found);
  SSL_free(probe->ssl);
  SSL_CTX_free(probe->context);
  if (probe->fd >= 0)
    close(probe->fd);
}

bool probe_resolve(struct probe *probe, struct errmsg *err) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  int code = getaddrinfo(probe->host, probe->port, &hints, &probe->found);
  return code == 0 ||
         errmsg_set(err, "%s: %s", probe->host,
                    code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
}

/* ---- a connection ------------------------------------------------------- */

static bool wait_until_open(int fd) {
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;
  if (poll(&ready, 1, PROBE_SECONDS * 1000) == 1)
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0;
}

static int connect_to(const struct addrinfo *to) {
  const struct timeval limit = {.tv_sec = PROBE_SECONDS};
  int fd =
      socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  bool open = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ||
              (errno == EINPROGRESS && wait_until_open(fd));
  if (!open) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }

  if (fcntl(fd, F_SETFL, 0) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

bool probe_connect(struct probe *probe, struct errmsg *err) {
  int error = ECONNREFUSED;
  for (const struct addrinfo *to = probe->found; to != NULL && probe->fd < 0;
       to = to->ai_next) {
    getnameinfo(to->ai_addr, to->ai_addrlen, probe->address,
                sizeof probe->address, NULL, 0, NI_NUMERICHOST);
    probe->fd = connect_to(to);
    if (probe->fd < 0)
      error = errno;
  }
  return probe->fd >= 0 || errmsg_set(err, "%s port %s: %s", probe->address,
                                      probe->port, strerror(error));
}

/* ---- TLS ---------------------------------------------------------------- */

static const char *reason(const struct probe *probe) {
  long code = SSL_get_verify_result(probe->ssl);
  if (code != X509_V_OK)
    return X509_verify_cert_error_string(code);
  const char *text = ERR_reason_error_string(ERR_peek_last_error());
  return text == NULL ? "the connection was closed" : text;
}

static bool expect_host(struct probe *probe) {
  unsigned char address[16];
  bool numeric = inet_pton(AF_INET, probe->host, address) == 1 ||
                 inet_pton(AF_INET6, probe->host, address) == 1;
  if (numeric)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(probe->ssl),
                                         probe->host) == 1;
  return SSL_set_tlsext_host_name(probe->ssl, probe->host) == 1 &&
         SSL_set1_host(probe->ssl, probe->host) == 1;
}

bool probe_handshake(struct probe *probe, const char *ca, bool verify,
                     struct errmsg *err) {
  probe->context = SSL_CTX_new(TLS_client_method());
  if (probe->context == NULL)
    return errmsg_set(err, "out of memory");
  bool known = *ca == '\0'
                   ? SSL_CTX_set_default_verify_paths(probe->context) == 1
                   : SSL_CTX_load_verify_file(probe->context, ca) == 1;
  if (!known)
    return errmsg_set(err, "%s can't be read as certificates in PEM",
                      *ca == '\0' ? "the system's store" : ca);
  SSL_CTX_set_verify(probe->context,
                     verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
  probe->ssl = SSL_new(probe->context);
  if (probe->ssl == NULL || !expect_host(probe) ||
      SSL_set_fd(probe->ssl, probe->fd) != 1)
    return errmsg_set(err, "out of memory");
  return SSL_connect(probe->ssl) == 1 ||
         errmsg_set(err, "%s: %s", probe->host, reason(probe));
}

/* ---- a request ---------------------------------------------------------- */

static bool send_all(struct probe *probe, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = probe->ssl != NULL ? SSL_write(probe->ssl, data, (int)len)
                                   : send(probe->fd, data, len, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    data += n;
    len -= (size_t)n;
  }
  return true;
}

static ssize_t receive(struct probe *probe, char *data, size_t len) {
  return probe->ssl != NULL ? SSL_read(probe->ssl, data, (int)len)
                            : recv(probe->fd, data, len, 0);
}

/* Bytes that have come, when the answer is whole; else 0: it goes on until the
 * connection ends. */
static bool is_whole(const struct probe_answer *answer, bool has_body) {
  char length[24];
  const char *end = strstr(answer->text, "\r\n\r\n");
  if (end == NULL)
    return false;
  if (!has_body)
    return true;
  size_t head = (size_t)(end + 4 - answer->text);
  return probe_header(answer, "Content-Length", length, sizeof length) &&
         answer->len - head >= strtoull(length, NULL, 10);
}

static void read_answer(struct probe *probe, struct probe_answer *answer,
                        bool has_body) {
  while (answer->len < PROBE_ANSWER_MAX && !is_whole(answer, has_body)) {
    ssize_t n = receive(probe, answer->text + answer->len,
                        PROBE_ANSWER_MAX - answer->len);
    if (n <= 0)
      return;
    answer->len += (size_t)n;
    answer->text[answer->len] = '\0';
  }
}

bool probe_ask(struct probe *probe, const char *method,
               struct probe_answer *answer, struct errmsg *err) {
  char *head = malloc(HEAD_SIZE);
  bool standard = strcmp(probe->port, probe->tls ? "443" : "80") == 0;
  bool v6 = strchr(probe->host, ':') != NULL;
  *answer = (struct probe_answer){.text = calloc(1, PROBE_ANSWER_MAX + 1)};
  if (head == NULL || answer->text == NULL) {
    free(head);
    return errmsg_set(err, "out of memory");
  }
  int len = snprintf(head, HEAD_SIZE,
                     "%s %s%s HTTP/1.1\r\nHost: %s%s%s%s%s\r\n"
                     "Connection: close\r\nAccept: */*\r\n\r\n",
                     method, *probe->target == '/' ? "" : "/", probe->target,
                     v6 ? "[" : "", probe->host, v6 ? "]" : "",
                     standard ? "" : ":", standard ? "" : probe->port);
  bool sent = len > 0 && len < HEAD_SIZE && send_all(probe, head, (size_t)len);
  free(head);
  if (sent)
    read_answer(probe, answer, strcmp(method, "HEAD") != 0);
  const char *end = strstr(answer->text, "\r\n\r\n");
  if (end == NULL || strncmp(answer->text, "HTTP/1.", 7) != 0)
    return errmsg_set(err, "%s port %s answers with no HTTP", probe->host,
                      probe->port);
  answer->status = (int)strtoul(answer->text + 9, NULL, 10); /* 0: none */
  answer->body = end + 4;
  answer->body_len = answer->len - (size_t)(answer->body - answer->text);
  return true;
}

void probe_answer_fini(struct probe_answer *answer) {
  free(answer->text);
  answer->text = NULL;
}

bool probe_header(const struct probe_answer *answer, const char *name,
                  char *out, size_t size) {
  size_t len = strlen(name);
  const char *end = strstr(answer->text, "\r\n\r\n");
  const char *line = strstr(answer->text, "\r\n");
  for (; line != NULL && line < end; line = strstr(line, "\r\n")) {
    line += 2;
    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
      continue;
    const char *value = line + len + 1;
    value += strspn(value, " \t");
    size_t n = strcspn(value, "\r\n");
    snprintf(out, size, "%.*s", (int)n, value);
    return true;
  }
  return false;
}
