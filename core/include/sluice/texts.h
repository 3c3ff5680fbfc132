/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: the calls of <sluice/plugin.h> that take any number of arguments,
 * for languages that can't call those.  The text is taken as it is: nothing in
 * it is a conversion.  A part of <sluice/plugin.h>, which is what a plugin
 * includes.
 */
#ifndef SLUICE_TEXTS_H
#define SLUICE_TEXTS_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* As sluice_done(); NULL: the status says enough. */
void sluice_done_text(struct sluice_op *, enum sluice_status, const char *why);
/* As sluice_fail(). */
void sluice_fail_text(struct sluice_host *, const char *why);
/* As sluice_log(), from any thread. */
void sluice_log_text(struct sluice_host *, enum sluice_level,
                     const char *text);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
