/* SPDX-License-Identifier: MIT
 *
 * The configuration's own paths and ports, those of the plugins' tables, and
 * what every process of this system reads.
 */
#include "reaches.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quantity.h"

/* ---- of every process --------------------------------------------------- */

/* Programs and libraries, names, certificates, the time zone. */
static const char *const systems[] = {"/usr",   "/lib",       "/lib32",
                                      "/lib64", "/bin",       "/sbin",
                                      "/opt",   "/nix/store", "/gnu/store"};
static const char *const read_trees[] = {"/etc/ssl",
                                         "/etc/pki",
                                         "/etc/ca-certificates",
                                         "/etc/gnutls",
                                         "/etc/crypto-policies",
                                         "/etc/alternatives",
                                         "/run/systemd/resolve",
                                         "/run/resolvconf",
                                         "/run/NetworkManager",
                                         "/run/nscd",
                                         "/proc",
                                         "/sys/devices/system/cpu",
                                         "/sys/fs/cgroup"};
static const char *const read_files[] = {
    "/etc/nsswitch.conf", "/etc/host.conf",     "/etc/gai.conf",
    "/etc/services",      "/etc/protocols",     "/etc/localtime",
    "/etc/timezone",      "/etc/passwd",        "/etc/group",
    "/etc/ld.so.cache",   "/etc/ld.so.preload", "/etc/machine-id",
    "/etc/mime.types",    "/dev/urandom",       "/dev/random",
    "/dev/zero"};
/* Others write these again; where they are links, beside what these mean. */
static const char *const names[] = {"/etc/resolv.conf", "/etc/hosts"};
static const char *const temporary[] = {"/var/tmp", "/usr/tmp", "/tmp"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void reach_variable(struct reach *reach, const char *name,
                           enum reach_kind kind) {
  const char *list = getenv(name);
  char path[PATH_MAX];
  while (list != NULL && *list != '\0') {
    size_t len = strcspn(list, ":");
    if (len > 0 && len < sizeof path) {
      memcpy(path, list, len);
      path[len] = '\0';
      reach_add(reach, path, kind);
    }
    list += len + (list[len] == ':');
  }
}

/* SQLite writes what doesn't fit into memory to the first of these. */
static void reach_temporary(struct reach *reach) {
  const char *own = getenv("SQLITE_TMPDIR");
  if (own == NULL)
    own = getenv("TMPDIR");
  if (own != NULL && access(own, W_OK | X_OK) == 0) {
    reach_add(reach, own, REACH_WRITE);
    return;
  }
  for (size_t i = 0; i < COUNT(temporary); i++)
    if (access(temporary[i], W_OK | X_OK) == 0) {
      reach_add(reach, temporary[i], REACH_WRITE);
      return;
    }
}

static void reach_system(struct reach *reach) {
  for (size_t i = 0; i < COUNT(systems); i++)
    reach_add(reach, systems[i], REACH_SYSTEM);
  for (size_t i = 0; i < COUNT(read_trees); i++)
    reach_add(reach, read_trees[i], REACH_READ);
  for (size_t i = 0; i < COUNT(read_files); i++)
    reach_add(reach, read_files[i], REACH_READ);
  for (size_t i = 0; i < COUNT(names); i++)
    reach_file(reach, names[i]);
  /* Names of hosts are looked up by files that others replace.  Where modes
   * keep secrets from this user, they may. */
  if (geteuid() != 0)
    reach_add(reach, "/etc", REACH_READ);
  reach_add(reach, "/dev/null", REACH_FILE);
  reach_variable(reach, "LD_LIBRARY_PATH", REACH_SYSTEM);
  reach_variable(reach, "SSL_CERT_DIR", REACH_READ);
  reach_variable(reach, "SSL_CERT_FILE", REACH_READ);
  reach_variable(reach, "OPENSSL_CONF", REACH_READ);
  reach_variable(reach, "TZDIR", REACH_READ);
  reach_temporary(reach);
  reach_port(reach->connect, 53); /* a name whose answer is long */
}

/* ---- of the configuration ----------------------------------------------- */

static void reach_confine(struct reach *reach,
                          const struct settings_confine *confine) {
  int64_t port;
  for (const char *const *at = confine->read; *at != NULL; at++)
    reach_add(reach, *at, REACH_READ);
  for (const char *const *at = confine->write; *at != NULL; at++)
    reach_add(reach, *at, REACH_WRITE);
  for (const char *const *at = confine->connect; *at != NULL; at++)
    if (quantity_int(*at, &port))
      reach_port(reach->connect, (unsigned)port);
    else
      reach->anywhere = true;
}

static void reach_settings(struct reach *reach,
                           const struct settings *settings, const char *file) {
  const struct settings_server *server = &settings->server;
  reach_file(reach, file);
  for (const char *const *at = settings->plugin_path; *at != NULL; at++)
    reach_add(reach, *at, REACH_SYSTEM);
  reach_file(reach, server->tls.certificate);
  reach_file(reach, server->tls.private_key);
  reach_file(reach, server->tls.client_ca);
  reach_confine(reach, &server->confine);
}

/* These are as they were until the next start. */
static void reach_fixed(struct reach *reach, const struct settings *settings) {
  const struct settings_server *server = &settings->server;
  for (const char *const *at = server->listen; *at != NULL; at++)
    reach_bind(reach, *at);
  for (const char *const *at = server->admin; *at != NULL; at++)
    reach_bind(reach, *at);
  reach_add(reach, settings->uploads.spool_directory, REACH_WRITE);
}

/* ---- of plugins --------------------------------------------------------- */

static const struct sluice_option *find_option(const struct instance *plugin,
                                               const char *name) {
  const struct sluice_option *option = plugin_options(&plugin->plugin);
  while (option->name != NULL && strcmp(option->name, name) != 0)
    option++;
  return option->name == NULL ? NULL : option;
}

static const void *field_of(const struct instance *plugin,
                            const struct sluice_option *option) {
  return (const char *)plugin->conf + option->offset;
}

/* "syslog:/dev/log", URLs and "-" are none. */
static bool is_path(const char *text) {
  return *text != '\0' && strcmp(text, "-") != 0 &&
         strcspn(text, ":") >= strcspn(text, "/");
}

static void reach_text(struct reach *reach, int how, const char *text) {
  char path[PATH_MAX];
  const char *home = getenv("HOME");
  if (strncmp(text, "~/", 2) == 0) {
    if (home == NULL || snprintf(path, sizeof path, "%s%s", home, text + 1) >=
                            (int)sizeof path)
      return;
    text = path;
  }
  if (how == SLUICE_REACH_ADDRESS)
    reach_address(reach, text);
  else if (!is_path(text))
    return;
  else if (how == SLUICE_REACH_READ)
    reach_file(reach, text);
  else if (how == SLUICE_REACH_WRITE)
    reach_written(reach, text);
  else if (how == SLUICE_REACH_FOLDER)
    reach_add(reach, text, REACH_WRITE);
}

static void reach_row(struct reach *reach, const struct instance *plugin,
                      const struct sluice_reach *row) {
  const struct sluice_option *option;
  if (row->what[0] == '=') {
    reach_text(reach, row->how, row->what + 1);
  } else if (row->what[0] == '$') {
    const char *text = getenv(row->what + 1);
    if (text != NULL)
      reach_text(reach, row->how, text);
  } else if ((option = find_option(plugin, row->what)) != NULL) {
    const void *field = field_of(plugin, option);
    if (option->type == SLUICE_STRING && row->how == SLUICE_REACH_ADDRESS &&
        strcmp(option->name, "proxy") == 0)
      reach_proxy(reach, *(const char *const *)field);
    else if (option->type == SLUICE_STRING)
      reach_text(reach, row->how, *(const char *const *)field);
    else if (option->type == SLUICE_LIST)
      for (const char *const *at = *(const char *const *const *)field;
           *at != NULL; at++)
        reach_text(reach, row->how, *at);
  }
}

/* Of a plugin that doesn't say: a value with a slash that isn't a URL. */
static void reach_guess(struct reach *reach, const char *text) {
  struct stat st;
  if (!is_path(text) || strchr(text, '/') == NULL)
    return;
  if (stat(text, &st) == 0 && S_ISDIR(st.st_mode))
    reach_add(reach, text, REACH_WRITE);
  else
    reach_written(reach, text);
}

static void reach_stranger(struct reach *reach,
                           const struct instance *plugin) {
  const struct sluice_option *option = plugin_options(&plugin->plugin);
  reach->anywhere = true;
  for (; option->name != NULL; option++) {
    const void *field = field_of(plugin, option);
    if (option->type == SLUICE_STRING)
      reach_guess(reach, *(const char *const *)field);
    else if (option->type == SLUICE_LIST)
      for (const char *const *at = *(const char *const *const *)field;
           *at != NULL; at++)
        reach_guess(reach, *at);
  }
}

static void reach_plugin(struct reach *reach, const struct instance *plugin) {
  const struct sluice_reach *row = plugin->plugin.reach;
  if (row == NULL) {
    reach_stranger(reach, plugin);
    return;
  }
  for (; row->what != NULL; row++)
    reach_row(reach, plugin, row);
}

struct reach *reaches_of(const struct generation *generation, const char *file,
                         bool system) {
  const struct settings *settings = generation->settings;
  struct reach *reach = reach_new();
  if (reach == NULL)
    return NULL;
  reach->present = !system;
  if (system) {
    reach_system(reach);
    reach_fixed(reach, settings);
  }
  reach_settings(reach, settings, file);
  for (size_t i = 0; i < settings->backend_count; i++)
    reach_plugin(reach, generation->backends[i]);
  for (size_t i = 0; i < settings->hook_count; i++)
    reach_plugin(reach, generation->hooks[i]);
  return reach;
}

/* ---- folders ------------------------------------------------------------ */

static bool is_unwanted(const struct instance *plugin,
                        const struct sluice_reach *row) {
  const struct sluice_option *option =
      row->unless == NULL ? NULL : find_option(plugin, row->unless);
  return option != NULL && option->type == SLUICE_BOOL &&
         !*(const bool *)field_of(plugin, option);
}

/* Its name is to outlast a loss of power, as what will be in it. */
static void make_folder(const char *path) {
  char above[PATH_MAX];
  if (strlen(path) >= sizeof above || mkdir(path, 0700) != 0)
    return;
  memcpy(above, path, strlen(path) + 1);
  int fd = open(dirname(above), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
}

static void make_folders(const struct instance *plugin) {
  const struct sluice_reach *row = plugin->plugin.reach;
  for (; row != NULL && row->what != NULL; row++) {
    const struct sluice_option *option = find_option(plugin, row->what);
    if (row->how == SLUICE_REACH_FOLDER && option != NULL &&
        option->type == SLUICE_STRING && !is_unwanted(plugin, row))
      make_folder(*(const char *const *)field_of(plugin, option));
  }
}

void reaches_make_folders(const struct generation *generation) {
  const struct settings *settings = generation->settings;
  for (size_t i = 0; i < settings->backend_count; i++)
    make_folders(generation->backends[i]);
  for (size_t i = 0; i < settings->hook_count; i++)
    make_folders(generation->hooks[i]);
}
