/* SPDX-License-Identifier: MIT
 *
 * The only calls of evhttp_send_*(), between the two that ingress wants.
 */
#include "answer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

static const char *reason_of(int status) {
  static const struct {
    int status;
    const char *reason;
  } reasons[] = {{200, "OK"},
                 {201, "Created"},
                 {204, "No Content"},
                 {206, "Partial Content"},
                 {304, "Not Modified"},
                 {308, "Permanent Redirect"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {412, "Precondition Failed"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {415, "Unsupported Media Type"},
                 {416, "Range Not Satisfiable"},
                 {417, "Expectation Failed"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {460, "Checksum Mismatch"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {505, "HTTP Version Not Supported"},
                 {507, "Insufficient Storage"}};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].status == status)
      return reasons[i].reason;
  return "Unknown";
}

void answer_whole(struct ingress_conn *conn, struct evhttp_request *http,
                  int status, struct evbuffer *body) {
  ingress_answer(conn);
  evhttp_send_reply(http, status, reason_of(status), body);
  ingress_sent(conn);
  ingress_flush(conn);
}

void answer_begin(struct ingress_conn *conn, struct evhttp_request *http,
                  int status) {
  ingress_answer(conn);
  evhttp_send_reply_start(http, status, reason_of(status));
  ingress_sent(conn);
}

void answer_chunk(struct ingress_conn *conn, struct evhttp_request *http,
                  struct evbuffer *body, size_t low,
                  void (*sent)(struct evhttp_connection *, void *),
                  void *arg) {
  bufferevent_setwatermark(ingress_bev(conn), EV_WRITE, low, 0);
  evhttp_send_reply_chunk_with_cb(http, body, sent, arg);
  ingress_sent(conn);
  ingress_write_soon(conn);
}

size_t answer_unsent(struct ingress_conn *conn) {
  return evbuffer_get_length(bufferevent_get_output(ingress_bev(conn)));
}

void answer_end(struct evhttp_request *http) {
  evhttp_send_reply_end(http);
}
