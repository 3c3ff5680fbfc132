/* SPDX-License-Identifier: MIT
 *
 * For functions that take a format as printf() does: the compiler checks it.
 */
#ifndef BASE_PRINTFLIKE_H
#define BASE_PRINTFLIKE_H

/* The numbers of the format and of the first argument, from 1; 0: they come as
 * a va_list. */
#define PRINTFLIKE(text, first) __attribute__((format(printf, text, first)))

#endif
