/* SPDX-License-Identifier: MIT
 *
 * The command line of sluice-plugin-check.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec.h"
#include "digest.h"
#include "log.h"
#include "quantity.h"
#include "suite.h"

#define LARGE (4u << 20)
#define PATIENCE_MS 5000
#define ROUNDS 25
#define BLOCK_MS 20
#define NO_FORK_PATIENCE_MS (24 * 3600 * 1000) /* a debugger takes time */
#define LOAD_SECONDS 10 /* for a shared object's own constructors */

struct command {
  const char *plugin, *file;
  const char *const *pairs;
  const char *alone; /* words of --no-fork, or NULL */
  struct fixture_plan plan;
  struct suite suite;
  const char *over[FLOORS_MAX + 1];
  size_t over_count;
  bool list;
  char header[8192];
};

static int command_usage(FILE *out, int status) {
  fputs("usage: sluice-plugin-check [OPTION...] PLUGIN.so [KEY=VALUE...]\n"
        "\n"
        "Runs a backend or a hook as the gateway would, and checks that it\n"
        "keeps every rule of <sluice/plugin.h>.\n"
        "\n"
        "  -o FILE          the plugin's options: a YAML mapping\n"
        "  --block TIME     that a call may sleep on its loop (default: "
        "20ms)\n"
        "  --down COMMAND   stops the plugin's storage, for the checks of "
        "outages\n"
        "  --header LINE    \"Name: value\", by which a hook knows somebody\n"
        "  --large SIZE     of the largest object (default: 4MiB)\n"
        "  --list           print the checks and end\n"
        "  --no-fork WORDS  run the one check whose name has these words, in "
        "this\n"
        "                   process, for a debugger\n"
        "  --one-loop       the plugin serves one loop, and refuses more\n"
        "  --only WORDS     run the checks whose names have these words\n"
        "  --over TEXT      \"PATH.so key=value ...\": a layer stands on "
        "this\n"
        "                   backend; given again, that one stands on the "
        "next\n"
        "  --patience TIME  that an operation may say nothing (default: "
        "5s)\n"
        "  --prefix TEXT    what all keys begin with (default: sluice-check-\n"
        "                   and eight random digits, and a slash)\n"
        "  --rounds NUMBER  of operations, to find leaks (default: 25)\n"
        "  --skip WORDS     skip the checks whose names have these words; may "
        "be\n"
        "                   given often\n"
        "  --spool FOLDER   where uploads may wait on disk (default: TMPDIR,\n"
        "                   or /tmp)\n"
        "  --up COMMAND     starts the storage again\n"
        "  -v, --verbose    print what the plugin logs, too\n"
        "  --version        print the version and end\n"
        "  --help           print this and end\n",
        out);
  return status;
}

static int command_complain(const char *text) {
  fprintf(stderr, "sluice-plugin-check: %s\n", text);
  return 2;
}

/* ---- the command line --------------------------------------------------- */

enum {
  BLOCK = 256,
  DOWN,
  HEADER,
  LARGE_SIZE,
  LIST,
  NO_FORK,
  ONE_LOOP,
  ONLY,
  OVER,
  PATIENCE,
  PREFIX,
  ROUND_COUNT,
  SKIP,
  SPOOL,
  UP,
  VERSION,
  HELP
};

static bool command_read_number(struct command *command, int option,
                                const char *text) {
  int64_t number = 0;
  switch (option) {
  case LARGE_SIZE:
    return quantity_size(text, &command->plan.large);
  case BLOCK:
    return quantity_time(text, &command->plan.block_ms) &&
           command->plan.block_ms >= 1;
  case PATIENCE:
    return quantity_time(text, &command->plan.patience_ms) &&
           command->plan.patience_ms >= 1;
  default:
    if (!quantity_int(text, &number) || number < 1 || number > 1000000)
      return false;
    command->plan.rounds = (unsigned)number;
    return true;
  }
}

static bool command_read_header(struct command *command, const char *text) {
  size_t room = sizeof command->header;
  int len = snprintf(command->header, room, "%s\r\n", text);
  command->plan.header = command->header;
  return strchr(text, ':') != NULL && strpbrk(text, "\r\n") == NULL &&
         len > 0 && (size_t)len < room;
}

static bool read_option(struct command *command, int option) {
  switch (option) {
  case 'o':
    command->file = optarg;
    return true;
  case 'v':
    command->suite.verbose = true;
    return true;
  case DOWN:
    command->plan.down = optarg;
    return true;
  case UP:
    command->plan.up = optarg;
    return true;
  case NO_FORK:
    command->alone = optarg;
    command->plan.no_fork = true;
    return true;
  case HEADER:
    return command_read_header(command, optarg);
  case LIST:
    command->list = true;
    return true;
  case ONE_LOOP:
    command->plan.one_loop = true;
    return true;
  case ONLY:
    command->suite.only = optarg;
    return true;
  case OVER:
    if (command->over_count == FLOORS_MAX)
      return false;
    command->over[command->over_count++] = optarg;
    return true;
  case PREFIX:
    if (strlen(optarg) >= sizeof command->plan.prefix)
      return false;
    memcpy(command->plan.prefix, optarg, strlen(optarg) + 1);
    return true;
  case SKIP:
    if (command->suite.skip_count == SUITE_SKIPS_MAX)
      return false;
    command->suite.skips[command->suite.skip_count++] = optarg;
    return true;
  case SPOOL:
    command->plan.spool = optarg;
    return true;
  case BLOCK:
  case LARGE_SIZE:
  case PATIENCE:
  case ROUND_COUNT:
    return command_read_number(command, option, optarg);
  default:
    return false;
  }
}

static void set_defaults(struct command *command) {
  unsigned char random[4];
  char hex[9];
  const char *folder = getenv("TMPDIR");
  digest_random(random, sizeof random);
  codec_hex(hex, random, sizeof random);
  command->plan.spool = folder != NULL && *folder != '\0' ? folder : "/tmp";
  command->plan.large = LARGE;
  command->plan.rounds = ROUNDS;
  command->plan.block_ms = BLOCK_MS;
  snprintf(command->plan.prefix, sizeof command->plan.prefix,
           "sluice-check-%s/", hex);
}

/* ---- the run ------------------------------------------------------------ */

/* A shared object runs code of its own when it is loaded: that may crash, or
 * have no end. */
static bool loads(struct subject *subject, const char *path) {
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    struct errmsg err;
    alarm(LOAD_SECONDS);
    subject_load(subject, path, &err);
    _exit(0);
  }
  return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
}

/* The backends below, in the order in which they stand on each other. */
static bool command_stand(struct command *command, struct subject *subject,
                          struct floors_plan *floors, struct errmsg *err) {
  for (size_t i = 0; i < command->over_count; i++)
    if (!floors_add(floors, command->over[i], err))
      return false;
  command->plan.floors = floors;
  return command->list || floors_unfold(floors, subject, err);
}

static int command_run(struct command *command) {
  struct errmsg err = {""};
  struct subject *subject = calloc(1, sizeof *subject);
  struct floors_plan *floors = calloc(1, sizeof *floors);
  int status = 2;
  if (subject == NULL || floors == NULL) {
    free(subject);
    free(floors);
    return command_complain("out of memory");
  }
  if (!loads(subject, command->plugin)) {
    command_complain(
        "the plugin crashes when it is loaded, or that has no end");
    goto out;
  }
  if (!subject_load(subject, command->plugin, &err) ||
      (!command->list &&
       !subject_configure(subject, command->file, command->pairs, &err)) ||
      !command_stand(command, subject, floors, &err)) {
    command_complain(err.text);
    goto out;
  }
  command->plan.subject = subject;
  command->suite.plan = &command->plan;
  log_set_level(command->suite.verbose ? SLUICE_LOG_DEBUG : SLUICE_LOG_WARN);
  status = 0;
  if (command->list)
    suite_list(&command->plan);
  else if (command->alone != NULL)
    status = suite_run_here(&command->suite, command->alone);
  else
    status = suite_run(&command->suite) ? 0 : 1;

out:
  for (size_t i = 0; i < floors->count; i++)
    subject_fini(&floors->subjects[i]);
  subject_fini(subject);
  free(floors);
  free(subject);
  return status;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {"block", required_argument, NULL, BLOCK},
      {"down", required_argument, NULL, DOWN},
      {"header", required_argument, NULL, HEADER},
      {"large", required_argument, NULL, LARGE_SIZE},
      {"list", no_argument, NULL, LIST},
      {"no-fork", required_argument, NULL, NO_FORK},
      {"one-loop", no_argument, NULL, ONE_LOOP},
      {"only", required_argument, NULL, ONLY},
      {"over", required_argument, NULL, OVER},
      {"patience", required_argument, NULL, PATIENCE},
      {"prefix", required_argument, NULL, PREFIX},
      {"rounds", required_argument, NULL, ROUND_COUNT},
      {"skip", required_argument, NULL, SKIP},
      {"spool", required_argument, NULL, SPOOL},
      {"up", required_argument, NULL, UP},
      {"verbose", no_argument, NULL, 'v'},
      {"version", no_argument, NULL, VERSION},
      {"help", no_argument, NULL, HELP},
      {NULL, 0, NULL, 0}};
  struct command command = {0};
  int option;
  set_defaults(&command);
  while ((option = getopt_long(argc, argv, "o:v", options, NULL)) != -1) {
    if (option == HELP)
      return command_usage(stdout, 0);
    if (option == VERSION) {
      printf("sluice-plugin-check %s (plugin ABI %u.%u)\n", SLUICE_VERSION,
             SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR);
      return 0;
    }
    if (!read_option(&command, option))
      return command_usage(stderr, 2);
  }
  if (optind == argc)
    return command_usage(stderr, 2);
  if ((command.plan.down == NULL) != (command.plan.up == NULL))
    return command_complain("--down without --up, or --up without --down: "
                            "give both, or neither");
  if (command.plan.patience_ms == 0)
    command.plan.patience_ms =
        command.plan.no_fork ? NO_FORK_PATIENCE_MS : PATIENCE_MS;
  command.plugin = argv[optind];
  command.pairs = (const char *const *)&argv[optind + 1];
  return command_run(&command);
}
