/* SPDX-License-Identifier: MIT
 *
 * Spools that are waited for.
 */
#include "spoolkit.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

void rig_share(struct rig *rig, struct spool_settings *settings) {
  rig->loop = loop_new();
  rig->pool = work_pool_new(2);
  rig->host = (struct sluice_host){
      .name = "test", .loop = rig->loop, .share = work_own(rig->pool)};
  rig->settings = settings;
  rig_new_spool(rig);
}

void rig_init(struct rig *rig) {
  *rig = (struct rig){.dir = "/tmp/spool-XXXXXX"};
  if (mkdtemp(rig->dir) == NULL)
    abort();
  rig->own.memory = MEMORY;
  rig->own.directory = rig->dir;
  rig_share(rig, &rig->own);
}

void rig_pass(struct rig *rig) {
  event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
}

void on_released(void *arg) {
  struct rig *rig = arg;
  rig->released++;
}

void rig_new_spool(struct rig *rig) {
  rig->spool = spool_new(&rig->host, rig->settings);
}

void rig_free_spool(struct rig *rig) {
  int before = rig->released;
  spool_free(rig->spool, on_released, rig);
  CU_ASSERT_EQUAL(rig->released, before);
  rig->spool = NULL;
  while (rig->released == before)
    rig_pass(rig);
}

int names_in(const char *path) {
  DIR *dir = opendir(path);
  int count = 0;
  while (dir != NULL && readdir(dir) != NULL)
    count++;
  if (dir != NULL)
    closedir(dir);
  return count - 2;
}

void rig_fini(struct rig *rig) {
  if (rig->spool != NULL)
    rig_free_spool(rig);
  work_pool_free(rig->pool);
  loop_free(rig->loop);
  if (rig->settings != &rig->own)
    return;
  spool_close_kept(&rig->own);
  CU_ASSERT_EQUAL(atomic_load(&rig->own.used), 0);
  CU_ASSERT_EQUAL(atomic_load(&rig->own.cache.bytes), 0);
  CU_ASSERT_EQUAL(names_in(rig->dir), 0);
  rmdir(rig->dir);
}

void on_added(void *arg, enum sluice_status status, const char *why) {
  struct rig *rig = arg;
  rig->added++;
  rig->status = status;
  snprintf(rig->why, sizeof rig->why, "%s", why);
  if (rig->free_when_added)
    spool_free(rig->spool, on_released, rig);
}

unsigned char byte_at(uint64_t i) {
  return (unsigned char)(i * 7 ^ i >> 8 ^ i >> 13);
}

unsigned char *bytes(uint64_t first, size_t len) {
  unsigned char *data = malloc(len + 1);
  for (size_t i = 0; i < len; i++)
    data[i] = byte_at(first + i);
  return data;
}

enum sluice_status rig_add_from(struct rig *rig, uint64_t first, size_t len) {
  unsigned char *data = bytes(first, len);
  int before = rig->added;
  spool_add(rig->spool, data, len, on_added, rig);
  CU_ASSERT_EQUAL(rig->added, before);
  while (rig->added == before)
    rig_pass(rig);
  free(data);
  return rig->status;
}

/* Adds the next bytes, and waits. */
enum sluice_status rig_add(struct rig *rig, size_t len) {
  return rig_add_from(rig, spool_length(rig->spool), len);
}

void on_ready(void *arg) {
  struct rig *rig = arg;
  rig->ready++;
}

/* One read, waited for. */
int64_t rig_read(struct rig *rig, uint64_t offset, void *to, size_t room) {
  for (;;) {
    int before = rig->ready;
    int64_t got = spool_read(rig->spool, offset, to, room, on_ready, rig);
    if (got != -1)
      return got;
    while (rig->ready == before)
      rig_pass(rig);
  }
}

void rig_forget_pages(struct rig *rig) {
  fdatasync(rig->spool->file.fd);
  posix_fadvise(rig->spool->file.fd, 0, 0, POSIX_FADV_DONTNEED);
}
