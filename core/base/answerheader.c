/* SPDX-License-Identifier: MIT
 *
 * The headers of an answer that a hook may add.  Called for each that a hook
 * offers, and for those that a hook's configuration names.
 */
#include "answerheader.h"

#include <stddef.h>
#include <string.h>

#include "codec.h"

static const struct {
  const char *name;
  enum answerheader kind;
} table[] = {{"Accept-Ranges", ANSWERHEADER_GATEWAYS},
             {"Connection", ANSWERHEADER_GATEWAYS},
             {"Content-Encoding", ANSWERHEADER_GATEWAYS},
             {"Content-Length", ANSWERHEADER_GATEWAYS},
             {"Content-Range", ANSWERHEADER_GATEWAYS},
             {"Content-Type", ANSWERHEADER_GATEWAYS},
             {"Date", ANSWERHEADER_GATEWAYS},
             {"Keep-Alive", ANSWERHEADER_GATEWAYS},
             {"Link", ANSWERHEADER_LIST},
             {"Retry-After", ANSWERHEADER_REPLACES},
             {"Server-Timing", ANSWERHEADER_LIST},
             {"Set-Cookie", ANSWERHEADER_LIST},
             {"Trailer", ANSWERHEADER_GATEWAYS},
             {"Transfer-Encoding", ANSWERHEADER_GATEWAYS},
             {"Upgrade", ANSWERHEADER_GATEWAYS},
             {"Vary", ANSWERHEADER_LIST},
             {"Via", ANSWERHEADER_LIST},
             {"WWW-Authenticate", ANSWERHEADER_LIST},
             {"X-Content-Type-Options", ANSWERHEADER_GATEWAYS},
             {"X-Request-Id", ANSWERHEADER_GATEWAYS}};

enum answerheader answerheader_of(const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (codec_same(name, len, table[i].name))
      return table[i].kind;
  return ANSWERHEADER_ONCE;
}
