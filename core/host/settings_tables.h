/* SPDX-License-Identifier: MIT
 *
 * The tables of the configuration's sections, for who describes them: the
 * schema that editors use.
 */
#ifndef HOST_SETTINGS_TABLES_H
#define HOST_SETTINGS_TABLES_H

#include <sluice/plugin.h>

struct settings_table {
  const char *section; /* "limits.per_client"; "": the top; NULL: the end */
  const struct sluice_option *options;
};

/* Each file's own, up to a NULL section. */
extern const struct settings_table settings_tables_sections[],
    settings_tables_web[], settings_tables_cors[], settings_tables_tls[],
    settings_tables_confine[], settings_tables_routes[], settings_tables_top[];

/* The range of a number; false: any. */
bool settings_range(const char *section, const char *key, uint64_t *min,
                    uint64_t *max);

#endif
