/* SPDX-License-Identifier: MIT
 *
 * Configuration files: read whole, and made a tree.
 */
#include "config.h"
#include "config_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct config *config_parse(const char *file, const char *data, size_t len,
                            struct errmsg *err) {
  struct config *config = config_new(file);
  if (config == NULL) {
    errmsg_set(err, "%s: out of memory", file);
    return NULL;
  }
  if (len > CONFIG_FILE_MAX)
    config_fault(config, 0, err, "longer than %u bytes; shorten it",
                 CONFIG_FILE_MAX);
  else if (config_tree_build(config, data, len, err))
    return config;
  config_free(config);
  return NULL;
}

/* Reads at most `max` bytes; -1: errno says why. */
static ssize_t config_read_file(const char *file, char *data, size_t max,
                                mode_t *mode) {
  size_t len = 0;
  ssize_t got = -1;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0)
    return -1;
  *mode = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_mode : 0;
  while (len < max) {
    got = read(fd, data + len, max - len);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    len += (size_t)got;
  }
  int why = errno;
  close(fd);
  errno = why;
  return got < 0 ? -1 : (ssize_t)len;
}

struct config *config_load(const char *file, struct errmsg *err) {
  struct config *config = NULL;
  size_t max = CONFIG_FILE_MAX + 1;
  mode_t mode = 0;
  char *data = malloc(max);
  if (data == NULL) {
    errmsg_set(err, "%s: out of memory", file);
    return NULL;
  }
  ssize_t len = config_read_file(file, data, max, &mode);
  if (len < 0)
    errmsg_set(err, "%s: cannot be read: %s; name a file with -c FILE", file,
               strerror(errno));
  else
    config = config_parse(file, data, (size_t)len, err);
  if (config != NULL)
    config->mode = mode;
  explicit_bzero(data, max);
  free(data);
  return config;
}
