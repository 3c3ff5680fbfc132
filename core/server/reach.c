/* SPDX-License-Identifier: MIT
 *
 * Paths as texts, and ports as bits.
 */
#include "reach.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quantity.h"
#include "words.h"

struct reach *reach_new(void) {
  return calloc(1, sizeof(struct reach));
}

void reach_free(struct reach *reach) {
  if (reach == NULL)
    return;
  for (size_t i = 0; i < reach->count; i++)
    free(reach->paths[i].path);
  free(reach->paths);
  free(reach);
}

/* ---- paths -------------------------------------------------------------- */

static bool set_path(char out[PATH_MAX], const char *text) {
  size_t len = strlen(text);
  if (len >= PATH_MAX)
    return false;
  memmove(out, text, len + 1);
  return true;
}

/* "/a/../b/." is "/b", also where there is no a. */
static void collapse(char path[PATH_MAX]) {
  char copy[PATH_MAX], *end = path, *rest = NULL;
  set_path(copy, path);
  for (char *name = strtok_r(copy, "/", &rest); name != NULL;
       name = strtok_r(NULL, "/", &rest)) {
    size_t len = strlen(name);
    if (strcmp(name, "..") == 0) {
      while (end > path && *--end != '/')
        ;
    } else if (strcmp(name, ".") != 0) {
      *end++ = '/';
      memcpy(end, name, len);
      end += len;
    }
  }
  if (end == path)
    *end++ = '/';
  *end = '\0';
}

/* Its last name moves to the front of the rest. */
static bool step_up(char head[PATH_MAX], char rest[PATH_MAX]) {
  char copy[PATH_MAX], name[PATH_MAX];
  set_path(copy, head);
  int len = snprintf(name, sizeof name, "/%s%s", basename(copy), rest);
  set_path(copy, head);
  return len > 0 && len < PATH_MAX && set_path(rest, name) &&
         set_path(head, dirname(copy));
}

/* Of what isn't there yet, the folder that is, and the rest. */
static bool make_absolute(const char *path, char out[PATH_MAX]) {
  char head[PATH_MAX] = "", rest[PATH_MAX] = "";
  if (*path == '\0' || !set_path(head, path))
    return false;
  while (realpath(head, out) == NULL)
    if (!step_up(head, rest))
      return false;
  size_t len = strlen(out), more = strlen(rest);
  if (len + more >= PATH_MAX)
    return false;
  memcpy(out + len, rest, more + 1);
  collapse(out);
  return true;
}

#define BIT(kind) (1u << (kind))

/* Of each kind, those that ask for no more than it lets do. */
static bool kind_covers(enum reach_kind has, enum reach_kind wanted) {
  static const unsigned covered[REACH_KINDS] = {
      [REACH_SYSTEM] = BIT(REACH_SYSTEM) | BIT(REACH_READ),
      [REACH_READ] = BIT(REACH_READ),
      [REACH_WRITE] = BIT(REACH_READ) | BIT(REACH_WRITE) | BIT(REACH_SOCKETS) |
                      BIT(REACH_FILE),
      [REACH_SOCKETS] = BIT(REACH_SOCKETS),
      [REACH_FILE] = BIT(REACH_FILE)};
  return (covered[has] & BIT(wanted)) != 0;
}

static bool is_below(const char *path, const char *folder) {
  size_t len = strlen(folder);
  if (strcmp(folder, "/") == 0)
    return true;
  return strncmp(path, folder, len) == 0 &&
         (path[len] == '\0' || path[len] == '/');
}

static bool covers_path(const struct reach *reach,
                        const struct reach_path *wanted) {
  for (size_t i = 0; i < reach->count; i++)
    if (kind_covers(reach->paths[i].kind, wanted->kind) &&
        is_below(wanted->path, reach->paths[i].path))
      return true;
  return false;
}

bool reach_writes(const struct reach *reach, const char *path) {
  char text[PATH_MAX] = "";
  const struct reach_path wanted = {.path = text, .kind = REACH_WRITE};
  return make_absolute(path, text) && covers_path(reach, &wanted);
}

void reach_add(struct reach *reach, const char *path, enum reach_kind kind) {
  char text[PATH_MAX] = "";
  struct reach_path added = {.path = text, .kind = kind};
  if (!make_absolute(path, text) || covers_path(reach, &added))
    return;
  struct reach_path *more =
      reach->count == REACH_PATHS_MAX
          ? NULL
          : realloc(reach->paths, (reach->count + 1) * sizeof *more);
  if (more != NULL)
    reach->paths = more;
  added.path = more == NULL ? NULL : strdup(text);
  if (added.path == NULL)
    reach->failed = true;
  else
    more[reach->count++] = added;
}

/* Folders whose other files are none of the gateway's business. */
static bool is_shared(const char *folder) {
  static const char *const shared[] = {
      "/",     "/boot", "/dev",     "/etc",     "/home",
      "/proc", "/root", "/sbin",    "/sys",     "/usr",
      "/var",  "/run",  "/var/lib", "/var/log", NULL};
  return words_has(shared, folder);
}

/* Files that are made there later can't be named before. */
static bool is_written_in(const char *folder) {
  static const char *const made[] = {"/run", "/var/lib", "/var/log", NULL};
  return !is_shared(folder) || words_has(made, folder);
}

static void folder_of(const char *path, char out[PATH_MAX]) {
  char copy[PATH_MAX] = "";
  set_path(copy, path);
  set_path(out, dirname(copy));
}

/* The folder that the name is in, with its own links followed. */
static bool find_folder(const char *path, char out[PATH_MAX]) {
  char folder[PATH_MAX] = "";
  if (*path == '\0' || strlen(path) >= PATH_MAX)
    return false;
  folder_of(path, folder);
  return make_absolute(folder, out);
}

void reach_file(struct reach *reach, const char *path) {
  char folder[PATH_MAX] = "", target[PATH_MAX] = "";
  if (!find_folder(path, folder) ||
      (reach->present && access(path, F_OK) != 0))
    return;
  if (is_shared(folder))
    reach_add(reach, path, REACH_READ);
  else
    reach_add(reach, folder, REACH_READ);
  if (make_absolute(path, target) && find_folder(target, folder))
    reach_add(reach, is_shared(folder) ? target : folder, REACH_READ);
}

static void add_written(struct reach *reach, const char *path) {
  char folder[PATH_MAX];
  struct stat st;
  bool regular = stat(path, &st) != 0 || S_ISREG(st.st_mode);
  if (!find_folder(path, folder))
    return;
  if (regular && is_written_in(folder))
    reach_add(reach, folder, REACH_WRITE);
  else
    reach_add(reach, path, REACH_FILE);
}

void reach_written(struct reach *reach, const char *path) {
  char target[PATH_MAX];
  add_written(reach, path);
  if (make_absolute(path, target))
    add_written(reach, target);
}

/* ---- ports -------------------------------------------------------------- */

void reach_port(unsigned char *ports, unsigned port) {
  ports[port / 8] |= (unsigned char)(1u << port % 8);
}

bool reach_has_port(const unsigned char *ports, unsigned port) {
  return (ports[port / 8] >> port % 8 & 1) != 0;
}

/* The number behind the last colon, up to the path; false: none. */
static bool find_port(const char *authority, unsigned *port) {
  size_t len = strcspn(authority, "/?#");
  char text[8];
  int64_t number;
  const char *colon = NULL;
  for (size_t i = 0; i < len; i++)
    if (authority[i] == ':')
      colon = authority + i;
    else if (authority[i] == ']')
      colon = NULL;
  if (colon == NULL || len - (size_t)(colon - authority) > sizeof text)
    return false;
  snprintf(text, sizeof text, "%.*s",
           (int)(len - (size_t)(colon - authority)) - 1, colon + 1);
  if (!quantity_int(text, &number) || number < 0 || number >= REACH_PORTS)
    return false;
  *port = (unsigned)number;
  return true;
}

void reach_bind(struct reach *reach, const char *address) {
  unsigned port;
  char folder[PATH_MAX];
  if (strncmp(address, "unix:", 5) == 0) {
    if (find_folder(address + 5, folder))
      reach_add(reach, folder, REACH_SOCKETS);
  } else if (find_port(address, &port)) {
    reach_port(reach->bind, port);
  }
}

void reach_address(struct reach *reach, const char *text) {
  unsigned port = 0;
  if (strncasecmp(text, "https://", 8) == 0)
    reach_port(reach->connect, find_port(text + 8, &port) ? port : 443);
  else if (strncasecmp(text, "http://", 7) == 0)
    reach_port(reach->connect, find_port(text + 7, &port) ? port : 80);
  else if (*text != '/' && find_port(text, &port))
    reach_port(reach->connect, port);
}

void reach_proxy(struct reach *reach, const char *text) {
  static const unsigned unwritten[] = {80, 443, 1080};
  unsigned port;
  const char *scheme = strstr(text, "://");
  if (*text == '\0')
    return;
  if (find_port(scheme == NULL ? text : scheme + 3, &port)) {
    reach_port(reach->connect, port);
    return;
  }
  for (size_t i = 0; i < sizeof unwritten / sizeof *unwritten; i++)
    reach_port(reach->connect, unwritten[i]);
}

/* ---- both --------------------------------------------------------------- */

static bool covers_ports(const unsigned char *has, const unsigned char *wanted,
                         const char *what, struct errmsg *errmsg) {
  for (unsigned port = 0; port < REACH_PORTS; port++)
    if (reach_has_port(wanted, port) && !reach_has_port(has, port))
      return errmsg_set(errmsg, "%s port %u", what, port);
  return true;
}

bool reach_covers(const struct reach *reach, const struct reach *wanted,
                  struct errmsg *errmsg) {
  static const char *const does[REACH_KINDS] = {[REACH_SYSTEM] = "read",
                                                [REACH_READ] = "read",
                                                [REACH_WRITE] = "write",
                                                [REACH_SOCKETS] =
                                                    "make a socket in",
                                                [REACH_FILE] = "write"};
  if (wanted->failed)
    return errmsg_set(errmsg, "hold that many paths");
  for (size_t i = 0; i < wanted->count; i++)
    if (!covers_path(reach, &wanted->paths[i]))
      return errmsg_set(errmsg, "%s %.256s", does[wanted->paths[i].kind],
                        wanted->paths[i].path);
  if (reach->anywhere)
    return true;
  if (wanted->anywhere)
    return errmsg_set(errmsg, "connect to any port");
  return covers_ports(reach->connect, wanted->connect, "connect to", errmsg);
}
