/* SPDX-License-Identifier: MIT
 *
 * The cause of a connection's end, as far as its events tell: a client that
 * left, one that was too slow, or a file that can't be sent.
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
