/* SPDX-License-Identifier: MIT
 *
 * The words of an explanation, for a person or for a program.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "must.h"

void explain_say(struct explain *e, const char *what, const char *fmt, ...) {
  char text[2048];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (e->json == NULL) {
    printf("%-10s %s\n", what, text);
  } else if (strcmp(what, "hook") == 0) { /* there may be many */
    json_t *list = json_object_get(e->json, "hooks");
    if (list == NULL) {
      list = json_array();
      must_have(json_object_set_new(e->json, "hooks", list) == 0);
    }
    must_have(json_array_append_new(list, json_string(text)) == 0);
  } else {
    must_have(json_object_set_new(e->json, what, json_string(text)) == 0);
  }
}

int explain_end(struct explain *e, int status, const char *code,
                const char *why) {
  if (code == NULL)
    explain_say(e, "answer", "%s", why);
  else if (status == 0)
    explain_say(e, "answer", "none: the gateway doesn't start: %s", why);
  else
    explain_say(e, "answer", "%d %s: %s", status, code, why);
  if (e->json != NULL && status != 0)
    must_have(json_object_set_new(e->json, "status", json_integer(status)) ==
              0);
  return code == NULL ? -1 : 1;
}

void explain_print(struct explain *e) {
  if (e->json == NULL)
    return;
  json_dumpf(e->json, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(e->json);
}
