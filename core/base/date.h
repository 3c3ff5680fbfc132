/* SPDX-License-Identifier: MIT
 *
 * Times as HTTP, JSON and keys write them.  All are UTC; seconds and
 * milliseconds count from 1970.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_HTTP_SIZE 30 /* with NUL */
#define DATE_ISO_SIZE 26
#define DATE_DAY_SIZE 11

/* "Sun, 06 Nov 1994 08:49:37 GMT".  Years 0..9999. */
void date_http(char out[DATE_HTTP_SIZE], int64_t seconds);
/* The three forms of RFC 9110, section 5.6.7, strictly; `now` places the two
 * digit years of RFC 850. */
bool date_http_parse(const char *text, int64_t now, int64_t *seconds);
/* The one form of RFC 3339, section 5.6, strictly: "2026-06-14T12:34:56Z", or
 * with an offset, "+02:00".  Fractions are cut off. */
bool date_rfc3339_parse(const char *text, int64_t *seconds);
/* "2026-06-14T12:34:56+00:00" */
void date_iso(char out[DATE_ISO_SIZE], int64_t seconds);
/* "2026/06/14" */
void date_day(char out[DATE_DAY_SIZE], int64_t seconds);

int64_t date_now_ms(void); /* the wall clock */

#endif
