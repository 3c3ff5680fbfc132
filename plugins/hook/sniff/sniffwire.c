/* SPDX-License-Identifier: MIT
 *
 * Both directions of it, for both sides.
 */
#include "sniffwire.h"

#include <string.h>

enum sniffwire_state sniffwire_read(const unsigned char *bytes, size_t len,
                                    struct sniffwire_answer *answer) {
  if (len == 0)
    return SNIFFWIRE_PART;
  if (bytes[0] != SNIFFWIRE_READY && bytes[0] != SNIFFWIRE_TYPE &&
      bytes[0] != SNIFFWIRE_FAILED)
    return SNIFFWIRE_NONSENSE;
  if (len == 1)
    return SNIFFWIRE_PART;
  size_t size = bytes[1];
  if (size > SNIFFWIRE_TEXT || len > 2 + size)
    return SNIFFWIRE_NONSENSE;
  for (size_t i = 2; i < len; i++)
    if (bytes[i] < ' ' || bytes[i] > '~')
      return SNIFFWIRE_NONSENSE;
  if (len < 2 + size)
    return SNIFFWIRE_PART;
  answer->word = (enum sniffwire_word)bytes[0];
  memcpy(answer->text, bytes + 2, size);
  answer->text[size] = '\0';
  return SNIFFWIRE_WHOLE;
}

size_t sniffwire_write(unsigned char out[SNIFFWIRE_MAX],
                       enum sniffwire_word word, const char *text) {
  size_t size = strlen(text);
  if (size > SNIFFWIRE_TEXT)
    size = SNIFFWIRE_TEXT;
  out[0] = (unsigned char)word;
  out[1] = (unsigned char)size;
  for (size_t i = 0; i < size; i++)
    out[2 + i] = text[i] < ' ' || text[i] > '~' ? (unsigned char)'?'
                                                : (unsigned char)text[i];
  return 2 + size;
}

void sniffwire_put_length(unsigned char out[SNIFFWIRE_HEAD], uint32_t length) {
  for (unsigned i = 0; i < SNIFFWIRE_HEAD; i++)
    out[i] = (unsigned char)(length >> (8 * i));
}

uint32_t sniffwire_length(const unsigned char head[SNIFFWIRE_HEAD]) {
  uint32_t length = 0;
  for (unsigned i = 0; i < SNIFFWIRE_HEAD; i++)
    length |= (uint32_t)head[i] << (8 * i);
  return length;
}
