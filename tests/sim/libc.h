/* SPDX-License-Identifier: MIT
 *
 * How often what libc does fails in a simulation.
 */
#ifndef TESTS_SIM_LIBC_H
#define TESTS_SIM_LIBC_H

struct libc_faults { /* of a thousand calls */
  unsigned sync, full;
};

void libc_set_faults(const struct libc_faults *);

#endif
