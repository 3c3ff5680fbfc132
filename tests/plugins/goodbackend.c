/* SPDX-License-Identifier: MIT
 *
 * A backend that loads, with an option of each type.
 */
#include "entries.h"

struct conf {
  const char *directory, *key;
  bool sync;
  int64_t retries, timeout;
  uint64_t part;
  const char *const *hosts;
};

static const struct sluice_option options[] = {
    {"directory", SLUICE_STRING, NULL, offsetof(struct conf, directory),
     "where objects are kept"},
    {"key", SLUICE_SECRET, "", offsetof(struct conf, key), "signs links"},
    {"sync", SLUICE_BOOL, "true", offsetof(struct conf, sync), "wait for it"},
    {"retries", SLUICE_INT, "3", offsetof(struct conf, retries), "how often"},
    {"timeout", SLUICE_TIME, "30s", offsetof(struct conf, timeout), "each"},
    {"part", SLUICE_SIZE, "8MiB", offsetof(struct conf, part), "of a part"},
    {"hosts", SLUICE_LIST, "[a, b]", offsetof(struct conf, hosts), "tried"},
    {0}};

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "goodbackend",
    .version = "1.2.3",
    .summary = "Keeps nothing",
    .options = options,
    .conf_size = sizeof(struct conf),
    ENTRIES_BACKEND,
};
SLUICE_BACKEND(goodbackend, backend)
