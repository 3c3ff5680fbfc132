/* SPDX-License-Identifier: MIT
 *
 * sluice-ctl(1): asks and orders a gateway that runs, over its UNIX socket.
 */
#ifndef CTL_H
#define CTL_H

/* `argv` begins with "ctl", or with "reload", which is short for
 * "ctl reload".  The exit status. */
int ctl_main(int argc, char **argv);

#endif
