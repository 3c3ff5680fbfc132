/* SPDX-License-Identifier: MIT
 *
 * Conditions of changes.  A storage is never sent a client's own text.
 */
#include "precondition.h"

#include "etags.h"
#include "reply.h"

static void say_unable(struct exchange *ex) {
  reply_error(ex, 501, "not_implemented",
              "This storage can't decide that condition together with the "
              "change");
}

static bool precondition_bad(struct exchange *ex, const char *name,
                             bool able) {
  if (able)
    reply_error(ex, 400, "bad_request",
                "%s is neither * nor a list of ETags in quotes", name);
  else
    say_unable(ex);
  return false;
}

bool precondition_read(struct exchange *ex, struct precondition *is,
                       bool able) {
  buf_init(&is->match_lines, PRECONDITION_MAX);
  buf_init(&is->none_match_lines, PRECONDITION_MAX);
  is->match = head_list(&ex->head, "If-Match", &is->match_lines);
  is->none_match =
      head_list(&ex->head, "If-None-Match", &is->none_match_lines);
  if (is->match != NULL && !etags_valid(is->match))
    return precondition_bad(ex, "If-Match", able);
  if (is->none_match != NULL && !etags_valid(is->none_match))
    return precondition_bad(ex, "If-None-Match", able);
  is->unmodified_since =
      is->match == NULL && head_get(&ex->head, "If-Unmodified-Since") != NULL;
  return true;
}

void precondition_fini(struct precondition *is) {
  buf_fini(&is->match_lines);
  buf_fini(&is->none_match_lines);
}

bool precondition_is_any(const struct precondition *is) {
  return is->match != NULL || is->none_match != NULL || is->unmodified_since;
}

bool precondition_only_new(const struct precondition *is) {
  return is->match == NULL && is->none_match != NULL &&
         !is->unmodified_since && etags_is_any(is->none_match);
}

bool precondition_only_there(const struct precondition *is) {
  return is->none_match == NULL && is->match != NULL &&
         etags_is_any(is->match);
}

bool precondition_holds(const struct precondition *is, bool there,
                        const char *etag) {
  if (is->match != NULL && !(there && etags_has(is->match, etag, false)))
    return false;
  return is->none_match == NULL ||
         !(there && etags_has(is->none_match, etag, true));
}

void precondition_refuse(struct exchange *ex) {
  reply_denial(ex, ENDER_CLIENT, SLUICE_EPRECOND, "");
}

bool precondition_offered(struct exchange *ex, const struct precondition *is,
                          bool able) {
  if (is->unmodified_since)
    reply_error(ex, 501, "not_implemented",
                "If-Unmodified-Since isn't looked at, as times are too "
                "coarse; send the object's ETag as If-Match");
  else if (!able)
    say_unable(ex);
  return able && !is->unmodified_since;
}
