/* SPDX-License-Identifier: MIT
 *
 * Handshakes of TLS that fail: each is told of, and a client that speaks plain
 * HTTP gets an answer which it can read.  Until the handshake is over, no byte
 * of a connection is a head.
 */
#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "codec.h"
#include "digest.h"
#include "ingress_private.h"

#define SCRATCH 16384

/* ---- what came first ---------------------------------------------------- */

/* OpenSSL's own look at such bytes knows four methods only. */
static bool is_http(const struct ingress_conn *conn) {
  static const char *const begins[] = {"GET ",  "HEAD ", "POST ", "PUT ",
                                       "DELET", "OPTIO", "PATCH", "CONNE",
                                       "TRACE", "PRI *", NULL};
  for (size_t i = 0; begins[i] != NULL; i++)
    if (strncmp(conn->dialed, begins[i], strlen(begins[i])) == 0)
      return true;
  return false;
}

static long on_bio(BIO *bio, int what, const char *data, size_t len, int argi,
                   long argl, int result, size_t *read) {
  (void)len, (void)argi, (void)argl;
  if (what != (BIO_CB_READ | BIO_CB_RETURN) || result <= 0)
    return result;
  struct ingress_conn *conn = (void *)BIO_get_callback_arg(bio);
  size_t had = strlen(conn->dialed);
  size_t more = sizeof conn->dialed - 1 - had;
  conn->spoke = true;
  memcpy(conn->dialed + had, data, *read < more ? *read : more);
  return result;
}

/* ---- the answer --------------------------------------------------------- */

/* The socket takes so little at once; if it doesn't, its client reads no
 * answers. */
static void answer(const struct ingress_conn *conn) {
  static const char said[] =
      "This port speaks HTTPS; begin the URL with https, not http";
  unsigned char random[16];
  char id[2 * sizeof random + 1], body[256], text[1024];
  digest_random(random, sizeof random);
  codec_hex(id, random, sizeof random);
  int len = snprintf(body, sizeof body,
                     "{\"error\": \"%s\", \"code\": \"bad_request\", "
                     "\"request_id\": \"%s\"}",
                     said, id);
  bool is_head = strncmp(conn->dialed, "HEAD ", 5) == 0;
  int all = snprintf(text, sizeof text,
                     "HTTP/1.1 400 Bad Request\r\n"
                     "Content-Type: application/json\r\n"
                     "Content-Length: %d\r\n"
                     "Cache-Control: no-store\r\n"
                     "Connection: close\r\n"
                     "X-Content-Type-Options: nosniff\r\n"
                     "X-Request-Id: %s\r\n\r\n%s",
                     len, id, is_head ? "" : body);
  send(conn->fd, text, (size_t)all, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The client may send on; TLS doesn't read any more. */
static void on_rest(evutil_socket_t fd, short what, void *arg) {
  struct ingress_conn *conn = arg;
  char scratch[SCRATCH];
  (void)what;
  ssize_t got = recv(fd, scratch, sizeof scratch, MSG_DONTWAIT);
  if (got > 0) {
    linger_drop(conn);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    ingress_reading(conn, false);
    linger_end(conn);
  }
}

/* False: no memory to listen on. */
static bool answer_in_plain(struct ingress_conn *conn) {
  ingress_reading(conn, false);
  conn->readable = event_new(loop_base(conn->ingress->loop), conn->fd,
                             EV_READ | EV_PERSIST, on_rest, conn);
  if (conn->readable == NULL)
    return false;
  answer(conn);
  linger_start(conn);
  return true;
}

/* ---- how it ended ------------------------------------------------------- */

/* The first that OpenSSL had to say of it; the later ones only say where. */
static unsigned long first_error(struct bufferevent *bev) {
  unsigned long error, first = 0;
  while ((error = bufferevent_get_openssl_error(bev)) != 0)
    if (ERR_GET_LIB(error) != 0)
      first = error;
  return first;
}

static void handshake_tell(struct ingress_conn *conn,
                           enum ingress_mistake mistake, const char *why) {
  const struct ingress_owner *owner = &conn->ingress->owner;
  if (owner->mistaken != NULL)
    owner->mistaken(owner->arg, conn->peer, mistake, why);
}

/* Of a certificate, the reason for which it isn't taken comes with it. */
static void tell_failure(struct ingress_conn *conn, short what) {
  SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);
  unsigned long error = first_error(conn->bev);
  const char *text = ERR_reason_error_string(error);
  char why[256];
  if ((what & BEV_EVENT_TIMEOUT) != 0)
    handshake_tell(conn, INGRESS_NO_HANDSHAKE,
                   "it took longer than limits.head_timeout");
  else if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
           ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    snprintf(why, sizeof why, "its certificate is not taken: %s",
             X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    handshake_tell(conn, INGRESS_NO_HANDSHAKE, why);
  } else
    handshake_tell(conn, INGRESS_NO_HANDSHAKE,
                   text == NULL ? "the client closed the connection" : text);
}

/* Health checks that connect and go are no news. */
static void handshake_on_event(struct bufferevent *bev, short what,
                               void *arg) {
  struct ingress_conn *conn = arg;
  SSL *ssl = bufferevent_openssl_get_ssl(bev);
  conn->secured(conn);
  BIO_set_callback_ex(SSL_get_rbio(ssl), NULL);
  if ((what & BEV_EVENT_CONNECTED) == 0 && is_http(conn)) {
    handshake_tell(conn, INGRESS_HTTP_ON_TLS, "");
    if (answer_in_plain(conn))
      return;
  } else if ((what & BEV_EVENT_CONNECTED) == 0 && conn->spoke) {
    tell_failure(conn, what);
  }
  if ((what & BEV_EVENT_CONNECTED) != 0)
    return;
  ingress_note_end(conn, what);
  ingress_end_conn(conn);
}

void handshake_watch(struct ingress_conn *conn,
                     void (*then)(struct ingress_conn *)) {
  conn->secured = then;
  BIO *bio = SSL_get_rbio(bufferevent_openssl_get_ssl(conn->bev));
  BIO_set_callback_ex(bio, on_bio);
  BIO_set_callback_arg(bio, (char *)conn);
  bufferevent_setcb(conn->bev, NULL, NULL, handshake_on_event, conn);
}
