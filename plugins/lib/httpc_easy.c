/* SPDX-License-Identifier: MIT
 *
 * Tells curl of one request, and is called back for it.  The wire
 * shows what the caller gave: no redirect, cookie, coding, credential or
 * default header of curl's own, and nothing from the environment.
 */
#include "httpc_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "must.h"

/* Large enough to be fast.  The answers of all but GET are short. */
#define BUFFER_IN (64L * 1024)
#define BUFFER_ANSWER (16L * 1024)
#define BUFFER_OUT (128L * 1024)
#define HANDLE (8L * 1024) /* the handle, the connection, heads */
_Static_assert(2 * BUFFER_IN + HANDLE == HTTPC_COST_DOWN &&
                   BUFFER_ANSWER + HANDLE == HTTPC_COST_SMALL &&
                   BUFFER_ANSWER + BUFFER_OUT + HANDLE == HTTPC_COST_UP,
               "the header tells what a transfer costs");

struct option {
  CURLoption option;
  long value;
};

static const struct option always[] = {
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_PATH_AS_IS, 1},
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_TCP_KEEPALIVE, 1},
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    /* Or a call that is canceled while its host's name is looked up would
     * block the loop until the resolver gives up. */
    {CURLOPT_QUICK_EXIT, 1},
};

/* curl calls it when it has a connection, before it sends: a second time when
 * the first one was a kept connection that turned out to be dead. */
static int on_send(void *arg, char *peer, char *self, int peer_port,
                   int self_port) {
  struct httpc_call *call = arg;
  (void)peer, (void)self, (void)peer_port, (void)self_port;
  bool repeatable = call->length > 0 || strcmp(call->method, "GET") == 0 ||
                    strcmp(call->method, "HEAD") == 0 ||
                    strcmp(call->method, "DELETE") == 0;
  if (call->sent && (!repeatable || call->given > 0)) {
    call->fault = "the connection was closed, and sending again isn't safe";
    return CURL_PREREQFUNC_ABORT;
  }
  call->sent = true;
  return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *to, size_t size, size_t count, void *arg) {
  struct httpc_call *call = arg;
  if (call->life == HTTPC_CANCELED)
    return CURL_READFUNC_ABORT;
  int64_t left = call->length - call->given;
  size_t room = size * count;
  if (room > (uint64_t)left)
    room = (size_t)left;
  /* A server that refused the request doesn't want the rest of it: to curl,
   * the body ends here, and so does the connection. */
  if (room == 0 || call->answer.status >= 300)
    return 0;
  size_t got = call->events->read(call->arg, to, room);
  must(got <= room);
  if (got == 0) {
    call->read_paused = true;
    return CURL_READFUNC_PAUSE;
  }
  call->given += (int64_t)got;
  call->moved_ms = httpc_now();
  return got;
}

static size_t on_line(char *line, size_t size, size_t count, void *arg) {
  struct httpc_call *call = arg;
  size_t len = size * count;
  long status = 0;
  if (call->life == HTTPC_CANCELED)
    return 0;
  call->moved_ms = httpc_now();
  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  switch (
      httpc_answer_line(&call->answer, line, len, (int)status, &call->fault)) {
  case HTTPC_LINE_REFUSED:
    return 0;
  case HTTPC_LINE_MORE:
    return len;
  case HTTPC_LINE_FINAL:
    break;
  }
  /* A body that waits for its next bytes isn't wanted any more either. */
  if (status >= 300 && call->read_paused)
    httpc_continue(call);
  if (call->events->head != NULL)
    call->events->head(call->arg);
  return len;
}

static size_t on_data(char *data, size_t size, size_t count, void *arg) {
  struct httpc_call *call = arg;
  size_t len = size * count;
  if (call->life == HTTPC_CANCELED || len == 0)
    return 0;
  call->moved_ms = httpc_now();
  if (call->events->data(call->arg, data, len))
    return len;
  call->data_paused = true;
  return CURL_WRITEFUNC_PAUSE;
}

/* curl's own sockets would be inherited by a child. */
static curl_socket_t on_open(void *arg, curlsocktype purpose,
                             struct curl_sockaddr *address) {
  struct httpc_call *call = arg;
  (void)purpose;
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
  call->no_descriptor = fd < 0 && (errno == EMFILE || errno == ENFILE ||
                                   errno == ENOMEM || errno == ENOBUFS);
  return fd;
}

static bool set_callbacks(CURL *easy, struct httpc_call *call) {
  unsigned failed = 0;
  failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
  failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
  failed |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
  failed |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
  failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
  failed |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
  failed |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
  failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
  failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
  failed |= curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  failed |= curl_easy_setopt(easy, CURLOPT_READDATA, call);
  return failed == 0;
}

static bool is_get(const struct httpc_call *call) {
  return call->length <= 0 && strcmp(call->method, "GET") == 0;
}

size_t httpc_easy_cost(const struct httpc_call *call) {
  if (call->length > 0)
    return HTTPC_COST_UP;
  return is_get(call) ? HTTPC_COST_DOWN : HTTPC_COST_SMALL;
}

static bool set_request(CURL *easy, struct httpc_call *call) {
  unsigned failed = 0;
  failed |= curl_easy_setopt(easy, CURLOPT_URL, call->url);
  failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
  failed |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                             is_get(call) ? BUFFER_IN : BUFFER_ANSWER);
  failed |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_OUT);
  failed |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
                             call->new_connection ? 1L : 0L);
  if (strcmp(call->method, "HEAD") == 0) {
    failed |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return failed == 0;
  }
  if (call->length >= 0) {
    failed |= curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                               (curl_off_t)call->length);
  }
  failed |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
  return failed == 0;
}

static bool set_transport(CURL *easy, const struct httpc_settings *settings) {
  unsigned failed = 0;
  long verify = settings->verify ? 1 : 0;
  failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  failed |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                             (long)settings->connect_timeout_ms);
  failed |= curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy);
  failed |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  failed |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify);
  failed |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2 * verify);
  if (settings->ca_file[0] != 0) {
    failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
    failed |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  }
  return failed == 0;
}

bool httpc_easy_prepare(CURL *easy, struct httpc_call *call) {
  for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
    if (curl_easy_setopt(easy, always[i].option, always[i].value) != CURLE_OK)
      return false;
  return set_transport(easy, &call->httpc->settings) &&
         set_callbacks(easy, call) && set_request(easy, call);
}

static bool add(struct curl_slist **list, const char *line) {
  struct curl_slist *longer = curl_slist_append(*list, line);
  if (longer != NULL)
    *list = longer;
  return longer != NULL;
}

/* A header without a value has to be written "Name;". */
static bool add_header(struct curl_slist **list, const char *header) {
  size_t name = strcspn(header, ":");
  if (header[name] == 0 || header[name + 1 + strspn(header + name + 1, " ")])
    return add(list, header);
  struct buf text;
  buf_init(&text, name + 1);
  buf_add(&text, header, name);
  buf_addc(&text, ';');
  bool added = !text.overflown && add(list, text.data);
  buf_fini(&text);
  return added;
}

struct curl_slist *httpc_easy_headers(const char *const *headers) {
  /* Headers that curl would add; the caller's own of that name is sent. */
  static const char *const none[] = {
      "Expect:", "Accept:", "User-Agent:", "Proxy-Connection:"};
  struct curl_slist *list = NULL;
  bool added = true;
  for (size_t i = 0; added && headers != NULL && headers[i] != NULL; i++)
    added = add_header(&list, headers[i]);
  for (size_t i = 0; added && i < sizeof none / sizeof none[0]; i++)
    added = add(&list, none[i]);
  if (added)
    return list;
  curl_slist_free_all(list);
  return NULL;
}
