/* SPDX-License-Identifier: MIT
 *
 * The commands of --down and --up, which stop the storage of a plugin and
 * start it again.
 */
#ifndef CHECK_OUTAGE_COMMAND_H
#define CHECK_OUTAGE_COMMAND_H

/* Runs it by sh(1), in a session of its own, so that a storage that it starts
 * outlives the check.  Returns its exit status, or 128 and more where it has
 * none. */
int outage_command(const char *command);

#endif
