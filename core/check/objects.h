/* SPDX-License-Identifier: MIT
 *
 * Whole operations in one call each, for checks that are about their outcome.
 * Another outcome than the right one fails the check.
 */
#ifndef CHECK_OBJECTS_H
#define CHECK_OBJECTS_H

#include <sluice/plugin.h>

#include "op_driver.h"

/* Stores it, whether or not there is one. */
void objects_put(struct fixture *, const char *key, struct sample);
/* Stores it, and returns the status. */
enum sluice_status objects_try(struct fixture *, const struct op_driver_put *);
/* It is there, and is this: head, get and every byte. */
void objects_expect(struct fixture *, const char *key, struct sample);
/* It isn't there: neither head nor get find it. */
void objects_expect_none(struct fixture *, const char *key);
void objects_remove(struct fixture *, const char *key);
/* The head of an object that is there. */
void objects_head(struct fixture *, const char *key, struct op_driver *out);

#endif
