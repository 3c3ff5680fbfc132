/* SPDX-License-Identifier: MIT
 *
 * The options of the hook, its metrics, and what it decides when a type is
 * known.
 */
#include "filetype.h"
#include "mediatype.h"
#include "sniff.h"

#include <stdio.h>
#include <string.h>

#define OPTION(field) offsetof(struct sniff_conf, field)
#define BYTES_MIN 512
#define BYTES_MAX (UINT64_C(1) << 20)
#define PATTERNS_MAX 256

const struct sluice_option sniff_options[] = {
    {"allow", SLUICE_LIST, "", OPTION(allow),
     "types that are taken, as image/png or image/*; none: all"},
    {"deny", SLUICE_LIST, "", OPTION(deny),
     "types that are refused, also where allow has them"},
    {"mismatch", SLUICE_STRING, "ignore", OPTION(mismatch),
     "a file that isn't of the type that was said: ignore, refuse or correct"},
    {"bytes", SLUICE_SIZE, "64KiB", OPTION(bytes),
     "so many of an object's first bytes are looked at"},
    {"database", SLUICE_STRING, "", OPTION(database),
     "libmagic's, compiled; none: the system's"},
    {"timeout", SLUICE_TIME, "5s", OPTION(timeout),
     "how long an object may wait for a look, and the look take"},
    {"processes", SLUICE_INT, "2", OPTION(processes), "helpers, at most"},
    {"queue", SLUICE_INT, "256", OPTION(queue),
     "objects that may wait for one at once"},
    {"on_failure", SLUICE_STRING, "refuse", OPTION(on_failure),
     "what becomes of an object when helpers fail: refuse, or pass"},
    {0}};

enum { OBJECTS, RESTARTS };

static const char *const results[] = {[SNIFF_PASSED] = "passed",
                                      [SNIFF_CORRECTED] = "corrected",
                                      [SNIFF_REFUSED] = "refused",
                                      [SNIFF_FAILED] = "failed",
                                      NULL};

const struct sluice_metric sniff_metrics[] = {
    [OBJECTS] = {"sniff_objects_total", SLUICE_COUNTER,
                 "Objects that were looked at, or couldn't be, by what came "
                 "of it.",
                 "result", results},
    [RESTARTS] = {"sniff_restarts_total", SLUICE_COUNTER,
                  "Helpers that were started in place of one that had ended, "
                  "or was.",
                  NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

void sniff_count(const struct sniffer *sniffer, enum sniff_result result) {
  sluice_count(sniffer->host, SLUICE_SERIES(OBJECTS, result), 1);
}

void sniff_count_restarts(const struct sniffer *sniffer, uint64_t more) {
  sluice_count(sniffer->host, SLUICE_SERIES(RESTARTS, 0), more);
}

/* ---- options ------------------------------------------------------------ */

static bool read_patterns(const char *option, const char *const *patterns,
                          struct errmsg *err) {
  size_t count = 0;
  for (; patterns[count] != NULL; count++)
    if (!mediatype_check(option, patterns[count], err))
      return false;
  return count <= PATTERNS_MAX ||
         errmsg_set(err, "%s: at most %d types", option, PATTERNS_MAX);
}

static bool read_mismatch(struct instance *instance, struct errmsg *err) {
  static const char *const words[] = {[SNIFF_IGNORE] = "ignore",
                                      [SNIFF_REFUSE] = "refuse",
                                      [SNIFF_CORRECT] = "correct"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i], instance->conf.mismatch) == 0) {
      instance->mismatch = (enum sniff_mismatch)i;
      return true;
    }
  return errmsg_set(err,
                    "mismatch: '%.50s' is neither ignore, refuse nor "
                    "correct",
                    instance->conf.mismatch);
}

static bool read_failure(struct instance *instance, struct errmsg *err) {
  const char *text = instance->conf.on_failure;
  instance->failure_passes = strcmp(text, "pass") == 0;
  return instance->failure_passes || strcmp(text, "refuse") == 0 ||
         errmsg_set(err, "on_failure: '%.50s' is neither refuse nor pass",
                    text);
}

static bool read_numbers(const struct sniff_conf *conf, struct errmsg *err) {
  if (conf->bytes < BYTES_MIN || conf->bytes > BYTES_MAX)
    return errmsg_set(err, "bytes: 512 to 1MiB");
  if (conf->timeout < 100 || conf->timeout > 60000)
    return errmsg_set(err, "timeout: 100ms to 60s");
  if (conf->processes < 1 || conf->processes > SNIFF_PROCESSES_MAX)
    return errmsg_set(err, "processes: 1 to %d", SNIFF_PROCESSES_MAX);
  if (conf->queue < 1 || conf->queue > 4096)
    return errmsg_set(err, "queue: 1 to 4096");
  return true;
}

bool sniff_read_conf(struct instance *instance, struct errmsg *err) {
  const struct sniff_conf *conf = &instance->conf;
  if (!read_patterns("allow", conf->allow, err) ||
      !read_patterns("deny", conf->deny, err) ||
      !read_mismatch(instance, err) || !read_failure(instance, err) ||
      !read_numbers(conf, err))
    return false;
  if (conf->allow[0] == NULL && conf->deny[0] == NULL &&
      instance->mismatch == SNIFF_IGNORE)
    return errmsg_set(err, "it would refuse nothing: say which types it is "
                           "to allow, or to deny, or what becomes of a "
                           "mismatch");
  return true;
}

/* ---- the judgement ------------------------------------------------------ */

static void join(char *out, size_t size, const char *const *patterns) {
  size_t used = 0;
  for (size_t i = 0; patterns[i] != NULL; i++) {
    size_t len = strlen(patterns[i]) + (i > 0 ? 2 : 0);
    if (used + len + sizeof ", ..." > size) {
      snprintf(out + used, size - used, ", ...");
      return;
    }
    used += (size_t)snprintf(out + used, size - used, "%s%s",
                             i > 0 ? ", " : "", patterns[i]);
  }
}

static enum sluice_verdict refuse(const struct sniffer *sniffer,
                                  struct sluice_request *request,
                                  const char *found, const char *message) {
  sniff_count(sniffer, SNIFF_REFUSED);
  sluice_log(sniffer->host, SLUICE_LOG_INFO,
             "request %s: the file is %s: it is refused",
             sluice_request_id(request), found);
  sluice_request_refuse_type(request, message);
  return SLUICE_DENY;
}

/* A browser runs it, as a page or for one. */
static bool sniff_runs(const char *type) {
  return filetype_active(type) || strstr(type, "ecmascript") != NULL ||
         strstr(type, "javascript") != NULL || strcmp(type, "text/css") == 0 ||
         strcmp(type, "application/wasm") == 0;
}

static bool is_listed(const struct sniff_conf *conf, const char *type,
                      const char *how, char *message, size_t size) {
  char list[100] = "";
  if (mediatype_listed(conf->deny, type)) {
    snprintf(message, size, "The file is %.90s %s, which isn't taken", type,
             how);
    return false;
  }
  if (conf->allow[0] == NULL || mediatype_listed(conf->allow, type))
    return true;
  join(list, sizeof list, conf->allow);
  snprintf(message, size, "The file is %.90s %s; taken are: %s", type, how,
           list);
  return false;
}

/* Bytes that a browser runs once it is told what they are may look like a
 * text, or like nothing: what is said of them counts, too. */
static bool may_be(const struct sniff_conf *conf, const char *said,
                   const char *found, char *message, size_t size) {
  return is_listed(conf, found, "by its content", message, size) &&
         (!sniff_runs(said) ||
          is_listed(conf, said, "by what was said", message, size));
}

/* A type that nobody knows better stays as it was said.  Of what its client
 * called bytes nothing is made that a browser would run. */
static bool is_to_correct(const char *said, const char *found, bool agrees) {
  if (strcmp(found, MEDIATYPE_UNKNOWN) == 0 ||
      strcmp(found, MEDIATYPE_EMPTY) == 0)
    return false;
  return !agrees ||
         (strcmp(said, MEDIATYPE_UNKNOWN) == 0 && !sniff_runs(found));
}

enum sluice_verdict sniff_judge(const struct sniffer *sniffer,
                                struct sluice_request *request,
                                const char *found) {
  const struct instance *instance = sniffer->instance;
  const struct sluice_upload *object = sluice_request_object(request);
  char message[256], said[MEDIATYPE_MAX] = MEDIATYPE_UNKNOWN;
  if (object != NULL && object->type != NULL &&
      !mediatype_read(object->type, strlen(object->type), said))
    snprintf(said, sizeof said, "%s", MEDIATYPE_UNKNOWN);
  if (!may_be(&instance->conf, said, found, message, sizeof message))
    return refuse(sniffer, request, found, message);
  bool agrees = mediatype_agrees(said, found);
  if (!agrees && instance->mismatch == SNIFF_REFUSE) {
    snprintf(message, sizeof message,
             "The file is %.90s by its content, and not %.90s, as was said",
             found, said);
    return refuse(sniffer, request, found, message);
  }
  bool to_correct = instance->mismatch == SNIFF_CORRECT &&
                    is_to_correct(said, found, agrees);
  bool corrected = to_correct && sluice_request_set_type(request, found);
  if (to_correct && !corrected && !agrees) {
    snprintf(message, sizeof message,
             "The file is %.90s by its content, which can't be set here",
             found);
    return refuse(sniffer, request, found, message);
  }
  sniff_count(sniffer, corrected ? SNIFF_CORRECTED : SNIFF_PASSED);
  sluice_request_set_attribute(request, "sniff.type", found);
  return SLUICE_ALLOW;
}
