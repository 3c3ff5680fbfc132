/* SPDX-License-Identifier: MIT
 *
 * The hook `sniff` and its helpers speak to each other so.  Bytes to look at
 * come behind their number; what comes back is one letter, one byte of a
 * length, and so much text, of which the hook believes nothing.
 */
#ifndef SNIFF_SNIFFWIRE_H
#define SNIFF_SNIFFWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNIFFWIRE_HEAD 4                   /* bytes of a number */
#define SNIFFWIRE_TEXT 127                 /* the longest text */
#define SNIFFWIRE_MAX (2 + SNIFFWIRE_TEXT) /* bytes of an answer */

/* Descriptors of both sorts of helpers. */
#define SNIFFWIRE_FD 3
#define SNIFFWIRE_DATABASE_FD 4

enum sniffwire_word {
  SNIFFWIRE_READY = 'r',  /* it is confined, and waits for bytes */
  SNIFFWIRE_TYPE = 't',   /* the text is a media type */
  SNIFFWIRE_FAILED = 'e', /* the text says why */
};

struct sniffwire_answer {
  enum sniffwire_word word;
  char text[SNIFFWIRE_TEXT + 1]; /* visible ASCII and blanks */
};

enum sniffwire_state {
  SNIFFWIRE_PART,    /* more has to come */
  SNIFFWIRE_WHOLE,   /* one answer, and nothing behind it */
  SNIFFWIRE_NONSENSE /* no helper says so */
};

/* Of all bytes since the last answer. */
enum sniffwire_state sniffwire_read(const unsigned char *, size_t,
                                    struct sniffwire_answer *);
/* The bytes of an answer, of which there are SNIFFWIRE_MAX at most; the text
 * is cut where it is too long. */
size_t sniffwire_write(unsigned char out[SNIFFWIRE_MAX], enum sniffwire_word,
                       const char *text);

void sniffwire_put_length(unsigned char out[SNIFFWIRE_HEAD], uint32_t length);
uint32_t sniffwire_length(const unsigned char head[SNIFFWIRE_HEAD]);

/* ---- to the process that starts helpers --------------------------------- */

/* One message, which brings a helper's socket and the database: start one.
 * That process ends it when nobody has the other end of its socket any more,
 * which can't get lost as an order could. */
#define SNIFFWIRE_START 's'

#endif
