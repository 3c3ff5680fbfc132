/* SPDX-License-Identifier: MIT
 *
 * The host: the backend's start, stop, and the files that it leaves.  The
 * calls are in localcall.c.
 */
#include "localkit.h"

#include "digest.h"
#include "index.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const struct sluice_backend *sluice_backend_local(void);

void kit_init(struct kit *kit, uint64_t inline_max) {
  const char *tmp = getenv("TMPDIR");
  memset(kit, 0, sizeof *kit);
  snprintf(kit->dir, sizeof kit->dir, "%s/sluice-local-XXXXXX",
           tmp ? tmp : "/tmp");
  assert(mkdtemp(kit->dir));
  kit->conf = (struct local_conf){.directory = kit->dir,
                                  .signing_key = "",
                                  .inline_max = inline_max,
                                  .sync = true,
                                  .create = true};
}

static int drop(const char *path, const struct stat *st, int type,
                struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  remove(path);
  return 0;
}

void kit_fini(struct kit *kit) {
  nftw(kit->dir, drop, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void let_go(struct kit *kit) {
  loop_free(kit->loop);
  work_pool_free(kit->pool);
  kit->loop = NULL;
  kit->pool = NULL;
}

bool kit_start(struct kit *kit) {
  const struct sluice_backend *plugin = sluice_backend_local();
  kit->pool = work_pool_new(kit->threads ? kit->threads : 4);
  kit->loop = loop_new();
  assert(kit->pool && kit->loop);
  kit->host = (struct sluice_host){
      .name = "local",
      .share =
          work_share_new(kit->pool, kit->threads ? (unsigned)kit->threads : 4),
      .handed = kit->handed.count > 0 ? &kit->handed : NULL};
  kit->local = plugin->start(&kit->conf, &kit->host);
  if (!kit->local) {
    let_go(kit);
    return false;
  }
  kit->backend = (struct op_backend){.plugin = plugin, .host = kit->host};
  kit->backend.host.loop = kit->loop;
  kit->backend.handle = plugin->open(kit->local, &kit->backend.host);
  assert(kit->backend.handle);
  return true;
}

bool kit_join(struct kit *kit, struct kit *first) {
  *kit = (struct kit){.conf = first->conf, .threads = first->threads};
  memcpy(kit->dir, first->dir, sizeof kit->dir);
  kit->conf.directory = kit->dir;
  kit->handed.count = share_pass(&first->local->share, kit->handed.fds);
  return kit_start(kit);
}

void kit_stop(struct kit *kit) {
  assert(kit->backend.misused == 0);
  kit->backend.plugin->close(kit->backend.handle);
  kit->backend.plugin->stop(kit->local);
  kit->local = NULL;
  let_go(kit);
}

static void wait_for_release(void *arg) {
  const struct kit *kit = arg;
  char byte;
  assert(read(kit->hold[0], &byte, 1) == 1);
}

static void end_hold(void *arg) {
  const struct kit *kit = arg;
  close(kit->hold[0]);
  close(kit->hold[1]);
}

void kit_hold(struct kit *kit) {
  assert(kit->threads == 1 && pipe(kit->hold) == 0);
  sluice_work(&kit->backend.host, wait_for_release, end_hold, kit);
}

void kit_release(struct kit *kit) {
  assert(write(kit->hold[1], "x", 1) == 1);
}

/* ---- the log ---- */

static int log_fd = -1;

void kit_log_keep(void) {
  log_fd = memfd_create("log", MFD_CLOEXEC);
  assert(log_fd >= 0 && dup2(log_fd, STDERR_FILENO) >= 0);
}

void kit_log_forget(void) {
  assert(ftruncate(log_fd, 0) == 0 && lseek(log_fd, 0, SEEK_SET) == 0);
}

int kit_log_count(const char *words) {
  char text[16384];
  int count = 0;
  ssize_t got = pread(log_fd, text, sizeof text - 1, 0);
  text[got < 0 ? 0 : got] = '\0';
  for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
    count++;
  return count;
}

/* ---- bytes and files ---- */

uint64_t kit_noise(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

char *kit_bytes(uint64_t seed, size_t length) {
  char *bytes = malloc(length + 1);
  assert(bytes);
  for (size_t i = 0; i < length; i++)
    bytes[i] = (char)kit_noise(&seed);
  return bytes;
}

static size_t count_files(const char *path) {
  DIR *dir = opendir(path);
  size_t count = 0;
  const struct dirent *entry;
  while (dir && (entry = readdir(dir))) {
    char below[512];
    snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (entry->d_type == DT_REG)
      count++;
    else if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
      count += count_files(below);
  }
  if (dir)
    closedir(dir);
  return count;
}

size_t kit_files(const struct kit *kit, const char *below) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", kit->dir, below);
  return count_files(path);
}

void kit_change_blob(const struct kit *kit, uint64_t number, off_t at,
                     const char *data, size_t length) {
  char path[256];
  snprintf(path, sizeof path, "%s/blobs/%llx/%02x/%016llx", kit->dir,
           (unsigned long long)(number >> 16), (unsigned)(number >> 8 & 255),
           (unsigned long long)number);
  assert(chmod(path, 0600) == 0);
  int fd = open(path, O_WRONLY);
  assert(fd >= 0);
  assert(length > 0 ? pwrite(fd, data, length, at) == (ssize_t)length
                    : ftruncate(fd, at) == 0);
  assert(fchmod(fd, 0400) == 0);
  close(fd);
}

size_t kit_fds(void) {
  DIR *dir = opendir("/proc/self/fd");
  size_t count = 0;
  assert(dir);
  while (readdir(dir))
    count++;
  closedir(dir);
  return count;
}

sqlite3 *kit_index(const struct kit *kit) {
  char path[256];
  sqlite3 *db;
  snprintf(path, sizeof path, "%s/" INDEX_FILE, kit->dir);
  /* Other programs are kept out of the index of one that runs. */
  const char *vfs =
      kit->local == NULL ? NULL : shm_vfs(&kit->local->share.shm);
  assert(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                         vfs) == SQLITE_OK);
  return db;
}

bool kit_sql(const struct kit *kit, const char *sql) {
  sqlite3 *db = kit_index(kit);
  bool ok = index_exec(db, sql);
  sqlite3_close(db);
  return ok;
}

int64_t kit_number(const struct kit *kit, const char *sql) {
  sqlite3 *db = kit_index(kit);
  int64_t number = -1;
  assert(index_number(db, sql, &number));
  sqlite3_close(db);
  return number;
}
