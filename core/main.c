/* SPDX-License-Identifier: MIT
 *
 * The command line.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway.h"
#include "libraries.h"
#include "log.h"
#include "plugindirs.h"
#include "tools.h"

static int usage(FILE *out, int status) {
  fputs("usage: sluice [-c FILE] [-t] [--takeover] [--version] [--plugins] "
        "[--help]\n"
        "       sluice [-c FILE] DIR\n"
        "       sluice COMMAND [--help] [-c FILE] ...\n"
        "\n"
        "  -c FILE     the configuration (default: " SLUICE_SYSCONFDIR
        "/sluice.yaml)\n"
        "  -t          check the configuration and end\n"
        "  --takeover  take over from the gateway at server.admin\n"
        "  --plugins   list the plugins with their options and end\n"
        "  --version   print the version and end\n"
        "  --help      print this and end\n"
        "  DIR         serve the store in that folder on the loopback, to who "
        "has\n"
        "              the token that is printed\n",
        out);
  for (const struct tool *const *tool = tools; *tool != NULL; tool++)
    fprintf(out, "%s  %-10s  %s\n", tool == tools ? "\ncommands:\n" : "",
            (*tool)->name, (*tool)->summary);
  return status;
}

struct command {
  const char *file;
  const char *program;
  bool test, plugins, takeover, starter;
};

static int fail(const struct errmsg *errmsg) {
  log_plain("sluice: %s", errmsg->text);
  return 1;
}

/* Those of the configuration's plugin_path where there is one. */
static int list_plugins(const struct command *command) {
  struct plugindirs dirs;
  plugindirs_init(&dirs, command->file);
  plugin_list(dirs.list, stdout);
  plugindirs_fini(&dirs);
  return 0;
}

static int run(const struct command *command) {
  struct errmsg errmsg = {0};
  struct gateway *gateway =
      gateway_new(command->file, SLUICE_PLUGINDIR, &errmsg);
  if (gateway == NULL)
    return fail(&errmsg);
  bool ok = true;
  if (command->test) {
    ok = gateway_check(gateway, &errmsg);
    if (ok)
      printf("%s is fine\n", command->file);
  } else {
    log_set_level_word(gateway->fixed->server.log_level);
    gateway->program = command->program;
    gateway->takeover.wanted = command->takeover;
    ok = gateway_run(gateway, &errmsg);
  }
  gateway_free(gateway);
  return ok ? 0 : fail(&errmsg);
}

/* A socket must not become standard error, and get log lines. */
static void open_standard_streams(void) {
  int fd;
  do
    fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0)
    close(fd);
}

/* A word that names no command is a folder where it is one, or is written
 * like one. */
static bool is_folder(const char *word) {
  struct stat st;
  return strchr(word, '/') != NULL ||
         (stat(word, &st) == 0 && S_ISDIR(st.st_mode));
}

static int serve_folder(const struct command *command, char **words) {
  const struct tool_line line = {
      .file = command->file, .words = words, .word_count = 1};
  if (words[1] == NULL && !command->test && !command->plugins &&
      is_folder(words[0]))
    return tool_folder.run(&line);
  log_plain("sluice: '%s' is neither a command nor a folder; `sluice --help` "
            "lists the commands",
            words[0]);
  return 2;
}

int main(int argc, char **argv) {
  enum { VERSION = 256, PLUGINS, TAKEOVER, STARTER, HELP };
  static const struct option options[] = {
      {"version", no_argument, NULL, VERSION},
      {"takeover", no_argument, NULL, TAKEOVER},
      {"starter", no_argument, NULL, STARTER}, /* the gateway's own word */
      {"plugins", no_argument, NULL, PLUGINS},
      {"help", no_argument, NULL, HELP},
      {NULL, 0, NULL, 0}};
  struct command command = {.file = SLUICE_SYSCONFDIR "/sluice.yaml",
                            .program = argv[0]};
  int option;
  open_standard_streams();
  libraries_begin();
  const struct tool *tool = argc > 1 ? tools_find(argv[1]) : NULL;
  if (tool != NULL)
    return tool_main(tool, argc - 1, argv + 1);
  while ((option = getopt_long(argc, argv, "c:t", options, NULL)) != -1) {
    switch (option) {
    case 'c':
      command.file = optarg;
      break;
    case 't':
      command.test = true;
      break;
    case PLUGINS:
      command.plugins = true;
      break;
    case TAKEOVER:
      command.takeover = true;
      break;
    case STARTER:
      command.starter = true;
      break;
    case VERSION:
      printf("sluice %s (plugin ABI %u.%u)\n", SLUICE_VERSION,
             SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
      return 0;
    case HELP:
      return usage(stdout, 0);
    default:
      return usage(stderr, 2);
    }
  }
  if (command.starter)
    return starter_serve(command.program, command.file);
  if (optind < argc)
    return serve_folder(&command, argv + optind);
  return command.plugins ? list_plugins(&command) : run(&command);
}
