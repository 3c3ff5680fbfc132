/* SPDX-License-Identifier: MIT
 *
 * `sluice DIR`: the store in a folder is served at once, on a free port of the
 * loopback, to who has the key that is made for this run and printed.
 */
#include "tools.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"
#include "digest.h"
#include "gateway.h"
#include "log.h"
#include "plugindirs.h"
#include "yamltext.h"

#define KEY_BYTES 24

struct folder {
  char own[64]; /* a folder of this run's: the configuration, the hash */
  struct buf key;
  bool made;
};

static int folder_refuse(const char *directory, const char *why) {
  log_plain("sluice: %s: %s", directory, why);
  return TOOL_CANT;
}

/* ---- the store ---------------------------------------------------------- */

/* A folder with files of somebody's own would be littered. */
static bool is_free(const char *directory) {
  DIR *dir = opendir(directory);
  const struct dirent *entry;
  bool empty = true;
  while (dir != NULL && (entry = readdir(dir)) != NULL)
    empty = empty && entry->d_name[0] == '.';
  if (dir != NULL)
    closedir(dir);
  return empty;
}

static bool holds_store(const char *directory) {
  struct stat st;
  int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool holds = dir >= 0 && fstatat(dir, "index.db", &st, 0) == 0;
  if (dir >= 0)
    close(dir);
  return holds;
}

/* ---- the configuration -------------------------------------------------- */

static bool add_settings(struct buf *out, const struct folder *folder,
                         const char *directory,
                         const char *const *plugin_path) {
  /* The run's own folder goes when it ends, and so does its name above. */
  buf_adds(out, "server: {listen: [\"127.0.0.1:0\"], log_level: warn, "
                "confine: {write: [/tmp]}}\n"
                "plugin_path: [");
  for (const char *const *p = plugin_path; *p != NULL; p++)
    if ((p != plugin_path && !buf_adds(out, ", ")) || !yamltext_add(out, *p))
      return false;
  buf_adds(out, "]\nbackends: {main: {plugin: local, directory: ");
  if (!yamltext_add(out, directory))
    return false;
  buf_addf(out,
           "}}\nhooks: [{plugin: auth_token, file: \"%s/tokens.yaml\"}]\n"
           "routes: [{mount: /files, backend: main}]\n",
           folder->own);
  return !out->overflown;
}

static bool add_tokens(struct buf *out, const struct folder *folder) {
  unsigned char sum[DIGEST_SHA256_LEN];
  char hex[2 * DIGEST_SHA256_LEN + 1];
  digest_sha256(sum, folder->key.data, folder->key.len);
  codec_hex(hex, sum, sizeof sum);
  return buf_addf(out,
                  "tokens: [{sha256: %s, identity: operator,"
                  " operations: [\"*\"], prefixes: [\"\"]}]\n",
                  hex);
}

static bool write_file(const struct folder *folder, const char *name,
                       const struct buf *text) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s", folder->own, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len;
  if (fd >= 0)
    close(fd);
  return ok;
}

static void folder_remove(const struct folder *folder) {
  static const char *const names[] = {"sluice.yaml", "tokens.yaml"};
  char path[96];
  if (!folder->made)
    return;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder->own, names[i]);
    unlink(path);
  }
  rmdir(folder->own);
}

static bool folder_write(struct folder *folder, const char *directory,
                         const char *const *plugin_path) {
  unsigned char secret[KEY_BYTES];
  struct buf settings, tokens;
  snprintf(folder->own, sizeof folder->own, "/tmp/sluice-XXXXXX");
  folder->made = mkdtemp(folder->own) != NULL;
  digest_random(secret, sizeof secret);
  buf_init(&folder->key, 64);
  codec_base64url(&folder->key, secret, sizeof secret);
  digest_wipe(secret, sizeof secret);
  buf_init(&settings, 65536);
  buf_init(&tokens, 1024);
  bool ok = folder->made &&
            add_settings(&settings, folder, directory, plugin_path) &&
            add_tokens(&tokens, folder) &&
            write_file(folder, "sluice.yaml", &settings) &&
            write_file(folder, "tokens.yaml", &tokens);
  buf_fini(&settings);
  buf_fini(&tokens);
  return ok;
}

/* ---- the run ------------------------------------------------------------ */

static void folder_tell(struct gateway *gateway) {
  const struct folder *folder = gateway->ready_arg;
  const char *url = gateway->listens[0].url;
  printf("url    %s/files\n"
         "token  %s\n"
         "try    curl -H 'Authorization: Bearer %s' -F file=@NAME %s/files\n",
         url, folder->key.data, folder->key.data, url);
  fflush(stdout);
}

static int serve(struct folder *folder) {
  char path[96];
  struct errmsg err = {0};
  snprintf(path, sizeof path, "%s/sluice.yaml", folder->own);
  struct gateway *gateway = gateway_new(path, SLUICE_PLUGINDIR, &err);
  bool ok = gateway != NULL;
  if (ok) {
    log_set_level(SLUICE_LOG_WARN);
    gateway->once = true;
    gateway->ready = folder_tell;
    gateway->ready_arg = folder;
    ok = gateway_run(gateway, &err);
  }
  gateway_free(gateway);
  if (!ok)
    log_plain("sluice: %s", err.text);
  return ok ? TOOL_OK : TOOL_CANT;
}

static int folder_run(const struct tool_line *line) {
  const char *directory = line->words[0];
  struct folder folder = {.made = false};
  if (access(directory, F_OK) != 0 && mkdir(directory, 0700) != 0)
    return folder_refuse(directory, strerror(errno));
  if (!holds_store(directory) && !is_free(directory))
    return folder_refuse(directory,
                         "it holds files, and they aren't a store's; name "
                         "an empty folder, and upload them to it");
  char *real = realpath(directory, NULL);
  struct plugindirs dirs;
  plugindirs_init(&dirs, line->file);
  int status =
      real != NULL && folder_write(&folder, real, dirs.list)
          ? serve(&folder)
          : folder_refuse(directory,
                          "it can't be served: its name, or /tmp, can't "
                          "be used; choose another folder");
  plugindirs_fini(&dirs);
  free(real);
  folder_remove(&folder);
  digest_wipe(folder.key.data, folder.key.len);
  buf_fini(&folder.key);
  return status;
}

const struct tool tool_folder = {
    .name = "DIR",
    .synopsis = "",
    .summary = "Serves the store in DIR on a free port of the loopback.",
    .words_min = 1,
    .words_max = 1,
    .run = folder_run,
};
