/* SPDX-License-Identifier: MIT
 *
 * `sluice doctor`: looks at each backend of a configuration by doing what the
 * gateway would do, and says what it found and what to change.  It makes no
 * bucket.
 */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"
#include "log.h"
#include "tools.h"

#define TEXT "Bytes of sluice doctor: it removes them when it is done.\n"
#define ATTEMPTS 2

/* ---- one backend -------------------------------------------------------- */

/* Nothing is made, and nobody waits for what doesn't come. */
static void set_options(struct doctor *d) {
  doctor_set_bool(d, "create_bucket", false);
  doctor_set_int(d, "wait", 0);
  doctor_set_int(d, "attempts", ATTEMPTS);
  doctor_set_int(d, "sweep_uploads", 0);
}

static void make_prefix(struct doctor *d) {
  unsigned char random[8];
  char hex[17];
  digest_random(random, sizeof random);
  codec_hex(hex, random, sizeof random);
  snprintf(d->prefix, sizeof d->prefix, ".sluice/doctor/%s/", hex);
}

static void examine(struct doctor *d, size_t backend) {
  const struct settings_plugin *of =
      &d->gateway->now->settings->backends[backend];
  d->backend = backend;
  d->versioned = false;
  findings_backend(&d->findings, of->name, of->plugin);
  make_prefix(d);
  set_options(d);
  doctor_network(d);
  if (!d->reachable)
    return;
  unsigned failed = d->findings.count[FINDING_FAIL];
  doctor_storage(d);
  if (d->findings.count[FINDING_FAIL] == failed)
    doctor_options(d);
}

/* ---- all of them -------------------------------------------------------- */

static bool examine_all(struct doctor *d, const char *only) {
  const struct settings *settings = d->gateway->now->settings;
  bool found = false;
  for (size_t i = 0; i < settings->backend_count; i++)
    if (only == NULL || strcmp(settings->backends[i].name, only) == 0) {
      found = true;
      examine(d, i);
    }
  if (found)
    doctor_public_url(d);
  else
    log_plain("sluice: no backend '%s'; look at 'backends' in %s", only,
              d->file);
  return found;
}

static bool sum_text(char hex[2 * DIGEST_MD5_LEN + 1]) {
  unsigned char md5[DIGEST_MD5_LEN];
  struct digest *digest = digest_new(DIGEST_MD5);
  if (digest == NULL)
    return false;
  digest_update(digest, TEXT, sizeof TEXT - 1);
  digest_final(digest, md5);
  digest_free(digest);
  codec_hex(hex, md5, sizeof md5);
  return true;
}

static int doctor_run(const struct tool_line *line) {
  struct doctor d = {.file = line->file};
  char hex[2 * DIGEST_MD5_LEN + 1];
  struct errmsg err = {.text = "out of memory"};
  bool ok = sum_text(hex);
  if (ok)
    d.gateway = gateway_new(d.file, SLUICE_PLUGINDIR, &err);
  if (d.gateway == NULL)
    return tool_cant(line->json, err.text);
  d.bytes = (struct act_bytes){TEXT, sizeof TEXT - 1, hex};
  log_set_level(SLUICE_LOG_WARN);
  findings_init(&d.findings, line->json);
  bool found = examine_all(&d, line->flags[0]);
  int status = findings_end(&d.findings);
  gateway_free(d.gateway);
  return found ? status : TOOL_CANT;
}

static const struct tool_flag flags[] = {{"b", "BACKEND", "this one alone"},
                                         {NULL, NULL, NULL}};

const struct tool tool_doctor = {
    .name = "doctor",
    .synopsis = "[-c FILE] [-b BACKEND] [--json]",
    .summary = "Does to each backend what the gateway would do, and says what "
               "to change.",
    .flags = flags,
    .json = true,
    .run = doctor_run,
};
