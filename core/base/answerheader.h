/* SPDX-License-Identifier: MIT
 *
 * The headers of an answer that a hook may add, by their names: no header is
 * there twice that means something once only.
 */
#ifndef BASE_ANSWERHEADER_H
#define BASE_ANSWERHEADER_H

enum answerheader {
  /* Any name that isn't in the table: refused where the gateway has put it
   * into this answer. */
  ANSWERHEADER_ONCE,
  ANSWERHEADER_GATEWAYS, /* never a hook's: it frames or describes the body */
  ANSWERHEADER_LIST,     /* several lines are one list */
  ANSWERHEADER_REPLACES  /* takes the place of the gateway's */
};

enum answerheader answerheader_of(const char *name);

#endif
