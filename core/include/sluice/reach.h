/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: what a plugin reaches beside the storage that is below it: files,
 * folders and addresses.  A part of <sluice/plugin.h>, which is what a plugin
 * includes.
 *
 * A gateway that confines itself asks this table before it starts a plugin,
 * and opens no more than all plugins' tables and its own configuration name.
 * Of a plugin without a table each option whose value is a path is taken for
 * a folder to write in, or for a file to write in its folder, and it may
 * connect to any port.  So a table is a promise to need less.
 */
#ifndef SLUICE_REACH_H
#define SLUICE_REACH_H

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_reach_how {
  /* A file that is read, and read again when another one has taken its
   * place: so is all that is in its folder. */
  SLUICE_REACH_READ = 1,
  /* A file that is written, or a socket, and others beside it. */
  SLUICE_REACH_WRITE = 2,
  /* A folder that is the plugin's.  It is made before start(), of mode 0700,
   * if it isn't there but the one above is. */
  SLUICE_REACH_FOLDER = 3,
  /* http(s)://host[:port], or host:port, or a socket's path: the port is
   * connected to. */
  SLUICE_REACH_ADDRESS = 4
};

struct sluice_reach { /* frozen for major 1 */
  /* The name of a string option or of a list; or "$NAME": a variable of the
   * environment; or "=text": the text itself, where "~/" is HOME's.  What is
   * empty, isn't set, or is no path or address reaches nothing. */
  const char *what;
  int how;            /* enum sluice_reach_how */
  const char *unless; /* of a folder: the option with which, being false, it
                         isn't made; NULL: none */
};

/* SLUICE_REACH({"directory", SLUICE_REACH_FOLDER, NULL}); nothing but {0} is
 * what reaches nothing. */
#define SLUICE_REACH(...)                                 \
  SLUICE_EXPORT const struct sluice_reach sluice_reach[]; \
  const struct sluice_reach sluice_reach[] = {__VA_ARGS__, {0, 0, 0}};

#ifdef __cplusplus
}
#endif

#endif
