/* SPDX-License-Identifier: MIT
 *
 * The cause of a connection's end, as far as its events tell: a client that
 * left, one that was too slow, or a file that can't be sent.  While evhttp
 * writes an answer, its callbacks are called by ours, which look first.
 */
#include <errno.h>

#include "ingress_private.h"

/* Errors of sendfile(2) that are about the file. */
static bool is_of_file(int error) {
  return error == EIO || error == EBADMSG || error == EUCLEAN ||
         error == ESTALE;
}

/* sendfile(2) that sends nothing has met the file's end, which comes as if the
 * connection had ended; write(2) does nothing of that kind.  Files go over
 * plain connections only. */
static bool is_unreadable(const struct ingress_conn *conn, short what,
                          int error) {
  return conn->readable != NULL && (what & BEV_EVENT_WRITING) != 0 &&
         ((what & BEV_EVENT_EOF) != 0 ||
          ((what & BEV_EVENT_ERROR) != 0 && is_of_file(error)));
}

void ingress_note_end(struct ingress_conn *conn, short what) {
  int error = EVUTIL_SOCKET_ERROR();
  if ((what & BEV_EVENT_TIMEOUT) != 0)
    conn->end = INGRESS_LATE;
  else if (is_unreadable(conn, what, error))
    conn->end = INGRESS_UNREADABLE;
}

static void on_writing_event(struct bufferevent *bev, short what, void *arg) {
  struct ingress_conn *conn = arg;
  ingress_note_end(conn, what);
  conn->evhttp_event(bev, what, conn->evcon);
}

static void on_written(struct bufferevent *bev, void *arg) {
  struct ingress_conn *conn = arg;
  conn->evhttp_write(bev, conn->evcon);
}

/* evhttp has just set its own. */
void ingress_watch_writing(struct ingress_conn *conn) {
  bufferevent_data_cb write;
  void *arg;
  bufferevent_getcb(conn->bev, NULL, &write, NULL, &arg);
  if (arg != conn->evcon)
    return;
  conn->evhttp_write = write;
  bufferevent_setcb(conn->bev, NULL, on_written, on_writing_event, conn);
}
