/* SPDX-License-Identifier: MIT
 *
 * Lua's patterns, by section 6.4.1 of its manual, with a count of steps: some
 * patterns try a text in more ways than anybody can wait for.  Knows no state
 * of Lua.
 */
#ifndef LUA_LUAPATTERN_H
#define LUA_LUAPATTERN_H

#include <stdbool.h>
#include <stddef.h>

#define LUAPATTERN_CAPTURES_MAX 32
#define LUAPATTERN_DEPTH_MAX 200 /* of its recursion */

enum luapattern_span { /* lengths that are none */
                       LUAPATTERN_OPEN = -1,
                       LUAPATTERN_POSITION = -2
};

struct luapattern_capture {
  const char *at;
  ptrdiff_t length; /* or enum luapattern_span */
};

struct luapattern {
  /* Set before the first match. */
  const char *text, *text_end;
  const char *pattern, *pattern_end; /* without ^ where that is an anchor */
  size_t left;                       /* steps that it may take */

  /* Of a match. */
  size_t captures;
  struct luapattern_capture capture[LUAPATTERN_CAPTURES_MAX];
  /* Of one that is no answer: what is wrong with the pattern, or, with
   * `left` 0 and no fault, more steps were needed. */
  const char *fault;
  bool spent;
  unsigned depth;
};

/* Does it match here?  Where the match ends; NULL: it doesn't, or no answer:
 * `fault` or `spent`. */
const char *luapattern_match(struct luapattern *, const char *at);

#endif
