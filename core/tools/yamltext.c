/* SPDX-License-Identifier: MIT
 *
 * Between double quotes, where ${ would begin a variable.
 */
#include "yamltext.h"

#include <string.h>

#include "codec.h"

bool yamltext_add(struct buf *out, const char *text) {
  if (strstr(text, "${") != NULL || !codec_utf8_valid(text, strlen(text)))
    return false;
  buf_addc(out, '"');
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < ' ' || *text == 127)
      return false;
    if (*text == '"' || *text == '\\')
      buf_addc(out, '\\');
    buf_addc(out, *text);
  }
  return buf_addc(out, '"');
}
