/* SPDX-License-Identifier: MIT
 *
 * The tables.  A change that isn't in them can't be; the text says when it is
 * made, and is drawn in docs/ingress.md (tests/checks/states.sh).
 */
#include "ingress_table.h"

#define MOVE(from, to, when) [INGRESS_##from][INGRESS_##to] = true

static const bool conn[INGRESS_STATES][INGRESS_STATES] = {
    MOVE(HEAD, WHOLE, "the head is whole, or refused"),
    MOVE(HEAD, LINGERING, "plain HTTP where TLS is spoken, answered"),

    MOVE(IDLE, HEAD, "a part of a head came"),
    MOVE(IDLE, WHOLE, "a whole head came, or is refused"),

    MOVE(WHOLE, BUSY, "its request is handed over"),

    MOVE(BUSY, ANSWERING, "the answer begins"),

    MOVE(ANSWERING, IDLE, "answered, and the body has ended"),
    MOVE(ANSWERING, SKIPPING, "answered before the body has ended"),
    MOVE(ANSWERING, LINGERING, "answered, to close; more may come"),
    MOVE(ANSWERING, DISCARDING, "answered, to close; no more comes"),

    MOVE(SKIPPING, IDLE, "the body has ended"),
    MOVE(SKIPPING, LINGERING, "its rest is malformed, too long, or late"),
    MOVE(SKIPPING, DISCARDING, "the same, after the client's last word"),

    MOVE(LINGERING, DISCARDING, "it has to make room"),
};

static const bool body[INGRESS_BODY_STATES][INGRESS_BODY_STATES] = {
    MOVE(BODY_EXPECTED, BODY_AHEAD, "its owner asks for it"),

    MOVE(BODY_UNREAD, BODY_AHEAD, "its owner asks for it"),
    MOVE(BODY_UNREAD, BODY_ENDED, "its end is passed over"),
    MOVE(BODY_UNREAD, BODY_BAD, "a chunk that is passed over is malformed"),

    MOVE(BODY_AHEAD, BODY_WANTED, "its owner has all that came"),
    MOVE(BODY_AHEAD, BODY_FULL, "the window is full"),
    MOVE(BODY_AHEAD, BODY_UNREAD, "the answer begins"),
    MOVE(BODY_AHEAD, BODY_ENDED, "its owner comes to its end"),
    MOVE(BODY_AHEAD, BODY_BAD, "its owner comes to a malformed chunk"),

    MOVE(BODY_WANTED, BODY_AHEAD, "its owner sees more, or that it was cut"),
    MOVE(BODY_WANTED, BODY_FULL, "the window is full"),
    MOVE(BODY_WANTED, BODY_UNREAD, "the answer begins"),
    MOVE(BODY_WANTED, BODY_ENDED, "its owner comes to its end"),
    MOVE(BODY_WANTED, BODY_BAD, "its owner comes to a malformed chunk"),

    MOVE(BODY_FULL, BODY_AHEAD, "the window is half empty"),
    MOVE(BODY_FULL, BODY_UNREAD, "the answer begins"),
    MOVE(BODY_FULL, BODY_ENDED, "its owner comes to its end"),
    MOVE(BODY_FULL, BODY_BAD, "its owner comes to a malformed chunk"),
};

bool ingress_may_become(enum ingress_state from, enum ingress_state to) {
  return conn[from][to];
}

bool ingress_body_may_become(enum ingress_body_state from,
                             enum ingress_body_state to) {
  return body[from][to];
}
