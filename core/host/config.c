/* SPDX-License-Identifier: MIT
 *
 * Configuration files: reading them, the memory of their trees, messages about
 * them.  All that is allocated for a file hangs on one chain and is wiped at
 * the end, as any scalar may be a secret.
 */
#include "config.h"
#include "config_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block {
  struct block *next;
  size_t size;
  alignas(max_align_t) unsigned char data[];
};

void *config_alloc(struct config *config, size_t size) {
  if (size > SIZE_MAX - sizeof(struct block))
    return NULL;
  struct block *block = calloc(1, sizeof *block + size);
  if (block == NULL)
    return NULL;
  block->size = size;
  block->next = config->memory;
  config->memory = block;
  return block->data;
}

void config_free(struct config *config) {
  if (config == NULL)
    return;
  for (struct block *block = config->memory, *next; block != NULL;
       block = next) {
    next = block->next;
    explicit_bzero(block->data, block->size);
    free(block);
  }
  free(config);
}

bool config_fault(const struct config *config, unsigned line,
                  struct errmsg *err, const char *fmt, ...) {
  struct errmsg body;
  va_list ap;
  va_start(ap, fmt);
  errmsg_vset(&body, fmt, ap);
  va_end(ap);
  if (line > 0)
    errmsg_set(err, "%s:%u: %s", config->file, line, body.text);
  else
    errmsg_set(err, "%s: %s", config->file, body.text);
  for (char *c = err->text; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = '?';
  return false;
}

static struct config *config_new(const char *file) {
  struct config *config = calloc(1, sizeof *config);
  if (config == NULL)
    return NULL;
  size_t size = strlen(file) + 1;
  char *copy = config_alloc(config, size);
  if (copy == NULL) {
    config_free(config);
    return NULL;
  }
  memcpy(copy, file, size);
  config->file = copy;
  return config;
}

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
static ssize_t read_file(const char *file, char *data, size_t max) {
  size_t len = 0;
  ssize_t got = -1;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -1;
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
  char *data = malloc(max);
  if (data == NULL) {
    errmsg_set(err, "%s: out of memory", file);
    return NULL;
  }
  ssize_t len = read_file(file, data, max);
  if (len < 0)
    errmsg_set(err, "%s: cannot be read: %s; name a file with -c FILE", file,
               strerror(errno));
  else
    config = config_parse(file, data, (size_t)len, err);
  explicit_bzero(data, max);
  free(data);
  return config;
}

const struct config_node *config_get(const struct config_node *mapping,
                                     const char *key) {
  if (mapping == NULL || mapping->kind != CONFIG_MAPPING)
    return NULL;
  for (size_t i = 0; i < mapping->count; i++)
    if (strcmp(mapping->keys[i].text, key) == 0)
      return &mapping->items[i];
  return NULL;
}
