/* SPDX-License-Identifier: MIT
 *
 * The pieces from which settings.c puts the configuration together.  Each
 * reads its part of the tree and leaves the error where it fails.
 */
#ifndef HOST_SETTINGS_PARTS_H
#define HOST_SETTINGS_PARTS_H

#include "settings.h"

/* server, uploads, presign, limits */
bool settings_read_sections(struct settings *, struct errmsg *);
/* server.admin, when server.listen is known */
bool settings_read_admin(struct settings *, struct errmsg *);
/* server.console and its issuer */
bool settings_read_console(struct settings *, struct errmsg *);
/* server.confine */
bool settings_read_confine(struct settings *, struct errmsg *);
/* server.tls */
bool settings_read_tls(struct settings *, struct errmsg *);
/* uploads.types, server.hosts, server.headers, downloads, links */
bool settings_read_web(struct settings *, struct errmsg *);
/* cors */
bool settings_read_cors(struct settings *, struct errmsg *);
/* backends, and the common hooks */
bool settings_read_plugins(struct settings *, struct errmsg *);
/* server.ready, which names backends */
bool settings_read_ready(struct settings *, struct errmsg *);
/* routes, with their own hooks */
bool settings_read_routes(struct settings *, struct errmsg *);

/* Adds a list of hooks; `who` has them, for messages. */
bool settings_add_hooks(struct settings *, const struct config_node *list,
                        const char *who, struct errmsg *);

/* The line of a key's value, or of the section when it isn't there. */
unsigned settings_line(const struct config_node *section, const char *key);

/* "'word' is not one of a, b, c; ..." */
bool settings_not_one_of(const struct settings *, unsigned line,
                         const char *key, const char *word,
                         const char *const *words, struct errmsg *);

bool settings_no_memory(const struct settings *, struct errmsg *);

#endif
