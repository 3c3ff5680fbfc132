/* SPDX-License-Identifier: MIT
 *
 * The trace of a request: the client's, if it sent one that is valid, with a
 * span of the gateway's own, or else a new one.  And what hooks may ask and
 * say of it.
 */
#include "request_trace.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "request.h"
#include "tracecontext.h"

/* NULL: there is none, or more than one, of which none counts. */
static const char *only_parent(const struct head *head) {
  static const char name[] = "traceparent";
  const char *value = NULL;
  for (size_t i = 0; i < head->count; i++) {
    const struct head_field *field = &head->fields[i];
    if (!codec_same(field->name, strlen(field->name), name))
      continue;
    if (value != NULL)
      return NULL;
    value = field->value;
  }
  return value;
}

static char *take_state(const struct head *head) {
  struct buf joined;
  buf_init(&joined, TRACECONTEXT_STATE_MAX + 1);
  const char *state = head_list(head, "tracestate", &joined);
  char *kept =
      state != NULL && !joined.overflown && tracecontext_state_valid(state)
          ? strdup(state) /* without memory: as if it had none */
          : NULL;
  buf_fini(&joined);
  return kept;
}

void request_trace(struct sluice_request *request) {
  struct tracecontext context = {.flags = 0};
  struct about *about = &request->about;
  const char *parent = only_parent(request->head);
  bool taken = parent != NULL && tracecontext_read(&context, parent);
  loop_name(request->loop, context.span, sizeof context.span);
  if (!taken)
    loop_name(request->loop, context.trace, sizeof context.trace);
  tracecontext_fix(&context);
  tracecontext_write(about->traceparent, &context);
  about->id = request->id;
  memcpy(&about->serial, context.span, sizeof about->serial);
  about->tracestate = taken ? take_state(request->head) : NULL;
}

void request_trace_end(struct sluice_request *request) {
  struct about *about = &request->about;
  about->serial = 0;
  free(about->tracestate);
  about->tracestate = NULL;
}

const char *sluice_request_traceparent(const struct sluice_request *request) {
  return request->about.traceparent;
}

const char *sluice_request_tracestate(const struct sluice_request *request) {
  return request->about.tracestate;
}

void sluice_request_debug(struct sluice_request *request) {
  request->debug = true;
}

const struct sluice_effort *
sluice_request_effort(const struct sluice_request *request) {
  return request->effort;
}
