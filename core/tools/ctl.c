/* SPDX-License-Identifier: MIT
 *
 * `sluice ctl` and `sluice reload`: one request to the gateway's server.admin,
 * and its answer as text or JSON.
 */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "buf.h"
#include "log.h"
#include "settings.h"
#include "tools.h"

#define ANSWER_MAX (64u << 20)
#define PATIENCE_S 60
#define LONG_PATIENCE_S 660 /* a reload starts plugins, an upgrade all */

struct command {
  const char *file, *socket;
  bool json;
  const struct order *order;
  const char *argument;
};

/* ---- answers as text ---------------------------------------------------- */

static void print_value(const json_t *value) {
  if (json_is_string(value))
    printf("%s", json_string_value(value));
  else if (json_is_integer(value))
    printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
  else if (json_is_null(value))
    printf("-");
  else {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    printf("%s", text == NULL ? "?" : text);
    free(text);
  }
}

static void print_pairs(json_t *document) {
  void *at = json_object_iter(document);
  for (; at != NULL; at = json_object_iter_next(document, at)) {
    printf("%-24s", json_object_iter_key(at));
    print_value(json_object_iter_value(at));
    putchar('\n');
  }
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "-" : text;
}

static void print_request(const json_t *request) {
  const json_t *waits = json_object_get(request, "waits");
  double seconds =
      (double)json_integer_value(json_object_get(request, "age_us")) / 1e6;
  printf("%-32s %8.1fs  %-8s %-6s in %" JSON_INTEGER_FORMAT
         " out %" JSON_INTEGER_FORMAT "  waits for %s %s  %s  %s  %s\n",
         text_of(request, "id"), seconds, text_of(request, "operation"),
         text_of(request, "method"),
         json_integer_value(json_object_get(request, "bytes_in")),
         json_integer_value(json_object_get(request, "bytes_out")),
         text_of(waits, "for"), text_of(waits, "name"),
         text_of(request, "client"), text_of(request, "identity"),
         text_of(request, "key"));
}

static void print_requests(json_t *document) {
  const json_t *list = json_object_get(document, "requests");
  json_int_t count = json_integer_value(json_object_get(document, "count"));
  for (size_t i = 0; i < json_array_size(list); i++)
    print_request(json_array_get(list, i));
  if ((json_int_t)json_array_size(list) < count)
    printf("and %" JSON_INTEGER_FORMAT " more\n",
           count - (json_int_t)json_array_size(list));
}

static void print_backend(const json_t *backend) {
  const char *why = json_string_value(json_object_get(backend, "why"));
  bool needed = json_is_true(json_object_get(backend, "needed"));
  printf("%-24s%s%s%s%s\n", text_of(backend, "name"),
         text_of(backend, "state"), needed ? "" : " (not needed)",
         why == NULL ? "" : ": ", why == NULL ? "" : why);
}

static void print_ready(json_t *document) {
  const json_t *list = json_object_get(document, "backends");
  bool ready = json_is_true(json_object_get(document, "ready"));
  printf("%-24s%s, %s\n", "gateway", ready ? "ready" : "not ready",
         text_of(document, "state"));
  for (size_t i = 0; i < json_array_size(list); i++)
    print_backend(json_array_get(list, i));
}

static void print_done(json_t *document) {
  printf("%s\n", text_of(document, "done"));
}

static const struct order {
  const char *name, *method, *path;
  bool argument, takes_long;
  void (*print)(json_t *document);
} orders[] = {{"status", "GET", "/status", false, false, print_pairs},
              {"requests", "GET", "/requests", false, false, print_requests},
              {"ready", "GET", "/ready", false, false, print_ready},
              {"reload", "POST", "/reload", false, true, print_done},
              {"upgrade", "POST", "/upgrade", false, true, print_done},
              {"drain", "POST", "/drain", false, false, print_done},
              {"level", "POST", "/level/", true, false, print_pairs}};

static const struct order *find_order(const char *name) {
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
    if (strcmp(orders[i].name, name) == 0)
      return &orders[i];
  return NULL;
}

/* ---- the socket --------------------------------------------------------- */

static bool take_path(struct sockaddr_un *to, const char *path,
                      struct errmsg *why) {
  if (strlen(path) >= sizeof to->sun_path)
    return errmsg_set(why, "%s is longer than the path of a socket may be",
                      path);
  *to = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(to->sun_path, path, strlen(path) + 1);
  return true;
}

static int open_socket(const char *path, bool takes_long, struct errmsg *why) {
  const struct timeval patience = {.tv_sec = takes_long ? LONG_PATIENCE_S
                                                        : PATIENCE_S};
  struct sockaddr_un to;
  if (!take_path(&to, path, why))
    return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
      return fd;
  }
  errmsg_set(why, "%s: %s; is the gateway running, and is this its user?",
             path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return -1;
}

/* The first UNIX socket of the list that answers; -1 and why the first one
 * doesn't. */
static int open_first(const struct command *command, const char *const *admin,
                      struct errmsg *why) {
  struct errmsg next;
  bool any = false;
  int fd = -1;
  for (; fd < 0 && *admin != NULL; admin++) {
    const char *path = address_unix_path(*admin);
    if (path == NULL)
      continue;
    fd = open_socket(path, command->order->takes_long, any ? &next : why);
    any = true;
  }
  if (!any)
    errmsg_set(why,
               "%s: server.admin is no UNIX socket, and has none in its list; "
               "write one, as in unix:/run/sluice/admin, or name one with -s",
               command->file);
  return fd;
}

/* To the socket that is named, or to that of the configuration. */
static int reach_gateway(const struct command *command, struct errmsg *why) {
  if (command->socket != NULL)
    return open_socket(command->socket, command->order->takes_long, why);
  struct settings *settings =
      settings_load(command->file, SLUICE_PLUGINDIR, why);
  if (settings == NULL)
    return -1;
  int fd = open_first(command, settings->server.admin, why);
  settings_free(settings);
  return fd;
}

static bool exchange_bytes(int fd, const char *request, struct buf *answer) {
  char piece[16384];
  ssize_t got = send(fd, request, strlen(request), MSG_NOSIGNAL);
  if (got != (ssize_t)strlen(request))
    return false;
  while ((got = recv(fd, piece, sizeof piece, 0)) > 0)
    buf_add(answer, piece, (size_t)got);
  return got == 0 && !answer->overflown;
}

/* ---- the command -------------------------------------------------------- */

static int print_answer(const struct command *command, const char *text) {
  json_error_t error;
  const char *body = strstr(text, "\r\n\r\n");
  json_t *document = body == NULL ? NULL : json_loads(body + 4, 0, &error);
  if (document == NULL)
    return tool_cant(command->json,
                     "the gateway's answer isn't one; is it another "
                     "version?");
  const char *refusal = json_string_value(json_object_get(document, "error"));
  if (command->json)
    printf("%s\n", body + 4);
  else if (refusal != NULL)
    log_plain("sluice: %s", refusal);
  else
    command->order->print(document);
  bool good =
      refusal == NULL && !json_is_false(json_object_get(document, "ready"));
  json_decref(document);
  return good ? TOOL_OK : TOOL_FOUND;
}

static int ctl_ask(const struct command *command) {
  struct errmsg why = {0};
  char request[256];
  struct buf answer;
  int fd = reach_gateway(command, &why);
  if (fd < 0)
    return tool_cant(command->json, why.text);
  snprintf(request, sizeof request,
           "%s %s%.32s HTTP/1.1\r\nHost: sluice\r\n\r\n",
           command->order->method, command->order->path,
           command->argument == NULL ? "" : command->argument);
  buf_init(&answer, ANSWER_MAX);
  int status = TOOL_CANT;
  if (!exchange_bytes(fd, request, &answer)) {
    errmsg_set(&why, "the gateway didn't answer: %s", strerror(errno));
    status = tool_cant(command->json, why.text);
  } else if (answer.len == 0) {
    status = tool_cant(command->json, "the gateway ended before it answered");
  } else if (buf_add(&answer, "", 1)) {
    status = print_answer(command, (const char *)answer.data);
  }
  buf_fini(&answer);
  close(fd);
  return status;
}

static bool read_order(struct command *command, char **words, size_t count) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
  command->order = find_order(words[0]);
  if (command->order == NULL || count != 1 + (size_t)command->order->argument)
    return false;
  if (command->order->argument)
    command->argument = words[1];
  return command->argument == NULL ||
         strspn(command->argument, letters) == strlen(command->argument);
}

static int give(const struct tool_line *line, char **words, size_t count) {
  struct command command = {
      .file = line->file, .socket = line->flags[0], .json = line->json};
  if (read_order(&command, words, count))
    return ctl_ask(&command);
  log_plain("sluice ctl: '%s' is no order of it, or has another number of "
            "words; `sluice ctl --help` lists them",
            words[0]);
  return TOOL_CANT;
}

static int ctl_run(const struct tool_line *line) {
  return give(line, line->words, line->word_count);
}

static int reload_run(const struct tool_line *line) {
  char word[] = "reload", *words[] = {word};
  return give(line, words, 1);
}

static const struct tool_flag flags[] = {
    {"s", "SOCKET", "the gateway's, in place of the configuration's"},
    {NULL, NULL, NULL}};

const struct tool tool_ctl = {
    .name = "ctl",
    .synopsis = "[-c FILE | -s SOCKET] [--json] "
                "status|requests|ready|reload|upgrade|drain|level LEVEL",
    .summary = "Asks a gateway that runs, or orders it.",
    .flags = flags,
    .words_min = 1,
    .words_max = 2,
    .json = true,
    .run = ctl_run,
};

const struct tool tool_reload = {
    .name = "reload",
    .synopsis = "[-c FILE | -s SOCKET] [--json]",
    .summary = "Has a gateway that runs read its configuration again.",
    .flags = flags,
    .json = true,
    .run = reload_run,
};
