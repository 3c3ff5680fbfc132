/* SPDX-License-Identifier: MIT
 *
 * Findings and counts, printed.
 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "jsonout.h"

static void print_plain(const char *text) {
  for (; *text != '\0'; text++)
    putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

void report_finding(void *arg, const struct sluice_finding *finding) {
  struct report *report = arg;
  if (!finding->good)
    report->bad = true;
  if (!report->json) {
    printf("%s %s: ", finding->good ? "ok " : "BAD", finding->what);
    print_plain(finding->key == NULL ? "" : finding->key);
    fputs(finding->key == NULL ? "" : ": ", stdout);
    print_plain(finding->text);
    putchar('\n');
    return;
  }
  fputs(report->any ? ",\n  " : "\n  ", stdout);
  report->any = true;
  fputs("{\"what\": ", stdout);
  jsonout_text(finding->what);
  fputs(", \"key\": ", stdout);
  jsonout_text(finding->key);
  fputs(", \"text\": ", stdout);
  jsonout_text(finding->text);
  printf(", \"good\": %s}", finding->good ? "true" : "false");
}

void report_count(void *arg, const char *what, uint64_t number) {
  struct report *report = arg;
  if (!report->json) {
    printf("%s%" PRIu64 " %s", report->counted ? ", " : "", number, what);
  } else {
    fputs(report->counted ? ", " : "\n ],\n ", stdout);
    jsonout_text(what);
    printf(": %" PRIu64, number);
  }
  report->counted = true;
}

void report_begin(struct report *report, bool json) {
  *report = (struct report){.json = json};
  if (json)
    fputs("{\"findings\": [", stdout);
}

static void end_json(const struct report *report, const char *why) {
  if (!report->counted)
    fputs("\n ]", stdout);
  fputs(",\n \"error\": ", stdout);
  jsonout_text(why);
  fputs("}\n", stdout);
}

bool report_end(const struct report *report, const char *done,
                const char *why) {
  if (report->json)
    end_json(report, why);
  else if (report->counted)
    printf("; %s\n", report->bad ? "see above" : done);
  return fflush(stdout) == 0 && ferror(stdout) == 0;
}
