/* SPDX-License-Identifier: MIT
 *
 * From the service's word to the gateway's: 2xx admits, 401 and 403 pass
 * through, and whatever else there is refuses.
 */
#include "asked.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "operation.h"

#define TELL_MS 1000 /* failures are logged at most that often */

struct asked *asked_of(struct asking *asking, struct sluice_request *request) {
  enum operation operation = operation_find(sluice_request_operation(request));
  if (operation == OPERATION_NONE || operation == OPERATION_SIGNED)
    return NULL;
  struct asked *asked = sluice_request_state(request, sizeof *asked);
  asked->asking = asking;
  asked->request = request;
  return asked;
}

static enum sluice_verdict asked_refuse(struct asked *asked,
                                        enum sluice_status status,
                                        const char *message) {
  sluice_request_refuse(asked->request, status, message);
  return SLUICE_DENY;
}

/* A service that is down concerns every request, and the log needs it once. */
static void asked_tell(struct asked *asked, const char *why) {
  struct asking *asking = asked->asking;
  int64_t now = (int64_t)clock_ms();
  if (asking->told_ms != 0 && now - asking->told_ms < TELL_MS) {
    asking->untold++;
    return;
  }
  sluice_log(asking->host, SLUICE_LOG_WARN,
             "request %s is refused: %s (and %" PRIu64 " more before it)",
             sluice_request_id(asked->request), why, asking->untold);
  asking->told_ms = now;
  asking->untold = 0;
}

enum sluice_verdict asked_fail(struct asked *asked, enum sluice_status status,
                               const char *why) {
  asked_tell(asked, why);
  return asked_refuse(
      asked, status,
      status == SLUICE_EUPSTREAM
          ? "The authorisation service's answer makes no sense"
          : "The authorisation service doesn't answer; try again");
}

static enum sluice_verdict asked_admit(struct asked *asked) {
  const struct auth_answer *answer = asked->answer;
  if (asked->in_key)
    return SLUICE_PASS;
  if (asked->asking->conf->identity_header[0] != '\0' &&
      !sluice_request_identify(asked->request, answer->identity)) {
    asked->faulty = true;
    return asked_fail(asked, SLUICE_EUPSTREAM,
                      "identity_header isn't UTF-8 of 1 to 256 bytes without "
                      "control characters");
  }
  if (!grants_allow(&asked->asking->auth->grants,
                    sluice_request_operation(asked->request)))
    return asked_refuse(asked, SLUICE_EDENIED, "This operation isn't allowed");
  asked->admitted = true;
  grants_show(&asked->asking->auth->grants, asked->request);
  if (answer->debug)
    sluice_request_debug(asked->request);
  return SLUICE_ALLOW;
}

enum sluice_verdict asked_judge(struct asked *asked,
                                struct auth_answer *answer) {
  char why[48];
  auth_answer_release(asked->answer);
  asked->answer = auth_answer_hold(answer);
  if (answer->status / 100 == 2)
    return asked_admit(asked);
  if (answer->status == 401)
    return asked_refuse(asked, SLUICE_EAUTH, "Authentication is required");
  if (answer->status == 403)
    return asked_refuse(asked, SLUICE_EDENIED, "This isn't allowed");
  asked->faulty = true;
  snprintf(why, sizeof why, "the service answers %d", answer->status);
  return asked_fail(asked, SLUICE_EUPSTREAM, why);
}
