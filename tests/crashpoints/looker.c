/* SPDX-License-Identifier: MIT
 *
 * Looks at stores of the backend `local`, one after the other: each line of
 * its input names a folder.  It starts the backend there, reads all that it
 * has, stops it, starts it once more, and says what it found in lines, of
 * which the last is "end".  crashpoints.py compares that with the oracle.
 */
#include "localkit.h"

#include "codec.h"
#include "digest.h"
#include "index.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INLINE_MAX 16384
#define TOKEN_MAX 4096
#define HEX_LEN (2 * DIGEST_MD5_LEN + 1)

static void hex_of(char hex[HEX_LEN], const void *data, size_t len) {
  unsigned char md5[DIGEST_MD5_LEN];
  digest_md5(md5, data, len);
  codec_hex(hex, md5, sizeof md5);
}

/* Line by line, "k " before each key, "t " before the next page's token. */
static void say_object(struct kit *kit, const char *key) {
  char hex[HEX_LEN];
  struct call call = {.kit = kit, .key = key};
  call_get(&call);
  call_wait(&call);
  hex_of(hex, call.body.data, call.body.len);
  if (call.status == SLUICE_OK)
    printf("object %zu %s %s %s\n", call.body.len, hex, call.etag, key);
  else
    printf("unread %d %s %s\n", (int)call.status, key, call.why);
  call_fini(&call);
}

static void say_objects(struct kit *kit) {
  struct buf page;
  char token[TOKEN_MAX] = "";
  buf_init(&page, 4u << 20);
  do {
    struct sluice_list list = {
        .prefix = "", .max = 1000, .token = *token ? token : NULL};
    enum sluice_status status = kit_list(kit, &list, &page);
    if (status != SLUICE_OK)
      printf("unlisted %d\n", (int)status);
    token[0] = '\0';
    buf_add(&page, "", 1);
    char *rest = NULL;
    for (char *line = strtok_r(page.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
      if (line[0] == 'k')
        say_object(kit, line + 2);
      else if (line[0] == 't')
        snprintf(token, sizeof token, "%s", line + 2);
    }
  } while (*token);
  buf_fini(&page);
}

/* An index that a repair has taken out of use may lie there, too. */
static size_t lost_blobs(const struct kit *kit) {
  char path[256];
  size_t count = 0;
  snprintf(path, sizeof path, "%s/lost+found", kit->dir);
  DIR *dir = opendir(path);
  const struct dirent *entry;
  while (dir != NULL && (entry = readdir(dir)) != NULL)
    count += entry->d_name[0] != '.' &&
             strncmp(entry->d_name, INDEX_FILE, strlen(INDEX_FILE)) != 0;
  if (dir != NULL)
    closedir(dir);
  return count;
}

/* Of a stage's file the bytes that count. */
static void say_bytes(const struct kit *kit, uint64_t blob, size_t size) {
  char path[256], hex[HEX_LEN] = "-";
  char *bytes = malloc(size + 1);
  snprintf(path, sizeof path, "%s/blobs/%" PRIx64 "/%02" PRIx64 "/%016" PRIx64,
           kit->dir, blob >> 16, blob >> 8 & 255, blob);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 || bytes == NULL ? -1 : pread(fd, bytes, size, 0);
  if (got == (ssize_t)size)
    hex_of(hex, bytes, size);
  if (fd >= 0)
    close(fd);
  free(bytes);
  printf(" %s\n", hex);
}

static void say_stages(const struct kit *kit) {
  sqlite3 *db = kit_index(kit);
  sqlite3_stmt *scan = NULL;
  if (sqlite3_prepare_v2(db,
                         "SELECT id, size, coalesce(blob, 0), complete"
                         " FROM stage",
                         -1, &scan, NULL) != SQLITE_OK)
    printf("unlisted stages\n");
  while (sqlite3_step(scan) == SQLITE_ROW) {
    uint64_t size = (uint64_t)sqlite3_column_int64(scan, 1);
    printf("stage %llx %" PRIu64 " %d",
           (unsigned long long)sqlite3_column_int64(scan, 0), size,
           sqlite3_column_int(scan, 3));
    say_bytes(kit, (uint64_t)sqlite3_column_int64(scan, 2),
              sqlite3_column_int(scan, 3) ? 0 : (size_t)size);
  }
  sqlite3_finalize(scan);
  printf("files");
  sqlite3_close(db);
  printf(" %zu %zu %zu\n", kit_files(kit, "blobs"), kit_files(kit, "tmp"),
         lost_blobs(kit));
}

/* The index and the folders must agree. */
static void say_blobs(const struct kit *kit) {
  printf("rows %" PRId64 " garbage %" PRId64 "\n",
         kit_number(kit, "SELECT (SELECT count(blob) FROM object) +"
                         " (SELECT count(blob) FROM stage)"),
         kit_number(kit, "SELECT count(*) FROM garbage"));
}

static void look_at(struct kit *kit) {
  if (!kit_start(kit)) {
    printf("refused %s\n", kit->host.failure);
    return;
  }
  say_objects(kit);
  kit_stop(kit);
  say_stages(kit);
  say_blobs(kit);
  if (kit_start(kit))
    kit_stop(kit);
  else
    printf("refused the second time: %s\n", kit->host.failure);
}

int main(void) {
  struct kit kit = {.threads = 1};
  kit.conf = (struct local_conf){.directory = kit.dir,
                                 .signing_key = "",
                                 .inline_max = INLINE_MAX,
                                 .sync = true,
                                 .create = true};
  while (fgets(kit.dir, sizeof kit.dir, stdin) != NULL) {
    kit.dir[strcspn(kit.dir, "\n")] = '\0';
    look_at(&kit);
    printf("end\n");
    fflush(stdout);
  }
  return 0;
}
