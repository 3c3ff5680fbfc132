/* SPDX-License-Identifier: MIT
 *
 * RFC 8259, section 7.
 */
#include "jsonout.h"

#include <stdio.h>
#include <string.h>

#include "codec.h"

void jsonout_text(const char *text) {
  if (text == NULL) {
    fputs("null", stdout);
    return;
  }
  size_t left = strlen(text);
  putchar('"');
  while (left > 0) {
    unsigned char c = (unsigned char)*text;
    size_t len = codec_utf8_len(text, left);
    if (len == 0)
      fputs("\\ufffd", stdout);
    else if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c < ' ' || c == 127)
      printf("\\u%04x", c);
    else
      fwrite(text, 1, len, stdout);
    len = len == 0 ? 1 : len;
    text += len;
    left -= len;
  }
  putchar('"');
}
