/* SPDX-License-Identifier: MIT
 *
 * Refusals of a link that once was good.
 */
#include "linkcheck.h"

#include "reply.h"
#include "revocations.h"

bool linkcheck_scope(const struct exchange *ex, struct buf *out) {
  return buf_adds(out, "sluice-link-2\n") &&
         buf_adds(out, ex->route->signed_path) && buf_addc(out, '\n');
}

static void linkcheck_refuse(struct exchange *ex, const char *code,
                             const char *what) {
  reply_error(ex, 403, code, "%s", what);
}

bool linkcheck_known(struct exchange *ex, const struct ownlink *link,
                     enum sluice_status status, const char *why) {
  if (status != SLUICE_OK) {
    reply_log_failure(ex, status, why);
    reply_error(ex, 503, "links_unknown",
                "The gateway can't tell whether this link was taken back; try "
                "again");
    return false;
  }
  if (!revocations_hold(ex->gate->revocations, ex->request.backend, link))
    return true;
  linkcheck_refuse(ex, "link_revoked", "This link was taken back");
  return false;
}

void linkcheck_refuse_count(struct exchange *ex, enum sluice_status status,
                            const char *why) {
  if (status == SLUICE_EDENIED)
    linkcheck_refuse(ex, "link_used_up",
                     "This link was used as often as it may be");
  else
    reply_failure(ex, status, why);
}
