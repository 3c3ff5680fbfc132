/* SPDX-License-Identifier: MIT
 *
 * A message for a person.  Called by whatever can fail; the text is always one
 * line of valid UTF-8, whatever of a file or a client is quoted in it.
 */
#include "errmsg.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"

/* Cutting inside a character would make a log line or JSON invalid. */
static size_t cut_at_character(const char *text, size_t len) {
  while (len && ((unsigned char)text[len] & 0xC0) == 0x80)
    len--;
  return len;
}

bool errmsg_vset(struct errmsg *message, const char *fmt, va_list args) {
  char text[ERRMSG_MAX + 1]; /* the arguments may point into the message */
  int wanted = vsnprintf(text, sizeof text, fmt, args);
  size_t len = wanted < 0 ? 0 : (size_t)wanted;

  if (len >= ERRMSG_MAX)
    len = cut_at_character(text, ERRMSG_MAX - 1);
  memcpy(message->text, text, len);
  message->text[len] = '\0';
  codec_clean(message->text);
  return false;
}

bool errmsg_set(struct errmsg *message, const char *fmt, ...) {
  va_list args;

  va_start(args, fmt);
  errmsg_vset(message, fmt, args);
  va_end(args);
  return false;
}
