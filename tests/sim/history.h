/* SPDX-License-Identifier: MIT
 *
 * A key may hold what one of its writes left: all that were begun are kept,
 * with the times between which each took effect.  One that nobody heard the
 * end of may take effect at any time after its beginning, or never.
 */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_GONE 0 /* the value of a key that has no object */
#define VALUE_MIN 12   /* bytes: fewer don't tell whose they are */

struct record; /* of a key */
struct write;

/* The one of that key, which has no object at first. */
struct record *history_record(const char *key);
const char *history_key(const struct record *);
size_t history_count(void);
struct record *history_at(size_t);
void history_fini(void);

uint64_t history_clock(void);

/* A value is a number; its bytes are made of it. */
unsigned value_new(void);
unsigned value_any(void); /* of those that there are */
size_t value_len(unsigned value);
void value_fill(unsigned value, char *out);           /* value_len() bytes */
const char *value_etag(unsigned value);               /* MD5, in hex */
unsigned value_of_etag(const char *etag, size_t len); /* 0: nobody's */
/* The value of these bytes; ends the run where they are nobody's. */
unsigned value_of(const char *data, size_t len, const char *where);

struct write *history_write(struct record *, unsigned value);
void history_done(struct write *);     /* it has taken effect by now */
void history_not_done(struct write *); /* and never does */
/* Or nothing is called: it may. */

/* Could the key have held that at some time since then?  `but` is left out. */
bool history_could(const struct record *, unsigned value, uint64_t since,
                   const struct write *but);
/* Or anything but that? */
bool history_could_not(const struct record *, unsigned value, uint64_t since,
                       const struct write *but);
/* All that it could; how many they are, at most `max`. */
size_t history_all(const struct record *, unsigned *values, size_t max);
/* It did: ends the run where that can't be. */
void history_saw(struct record *, unsigned value, uint64_t since);

#endif
