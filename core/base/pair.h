/* SPDX-License-Identifier: MIT
 *
 * A name and its value.  A list of them ends with a NULL name.
 */
#ifndef BASE_PAIR_H
#define BASE_PAIR_H

struct pair {
  const char *name, *value;
};

#endif
