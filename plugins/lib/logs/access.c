/* SPDX-License-Identifier: MIT
 *
 * The parts of a request that an access log may say.
 */
#include "access.h"

#include <string.h>

#include "operation.h"

/* "id=..." that a link begins with; false: it doesn't. */
static bool read_id(char out[ACCESS_ID_SIZE], const char *query) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_-";
  size_t len = strncmp(query, "id=", 3) == 0 ? strspn(query + 3, letters) : 0;
  if (len == 0 || len + 4 > ACCESS_ID_SIZE || query[3 + len] != '&')
    return false;
  memcpy(out, query, 3 + len);
  out[3 + len] = '\0';
  return true;
}

const char *access_query(const struct sluice_request *request,
                         char out[ACCESS_ID_SIZE]) {
  const char *query = sluice_request_query(request);
  enum operation operation = operation_find(sluice_request_operation(request));
  if (query == NULL)
    return NULL;
  if (operation == OPERATION_SIGNED && read_id(out, query))
    return out;
  bool is_secret =
      operation == OPERATION_NONE || operation == OPERATION_SIGNED;
  return is_secret ? ACCESS_REDACTED : query;
}

const char *access_referer(const struct sluice_request *request, char *out,
                           size_t size) {
  const char *referer = sluice_request_header(request, "Referer");
  if (referer == NULL)
    return NULL;
  size_t len = strcspn(referer, "?#");
  if (len >= size)
    len = size - 1;
  memcpy(out, referer, len);
  out[len] = '\0';
  return out;
}

/* "00-", the trace, "-", the span, "-" and two digits. */
static const char *part(const struct sluice_request *request, size_t at,
                        char *out, size_t size) {
  memcpy(out, sluice_request_traceparent(request) + at, size - 1);
  out[size - 1] = '\0';
  return out;
}

const char *access_trace(const struct sluice_request *request,
                         char out[ACCESS_TRACE_SIZE]) {
  return part(request, 3, out, ACCESS_TRACE_SIZE);
}

const char *access_span(const struct sluice_request *request,
                        char out[ACCESS_SPAN_SIZE]) {
  return part(request, 36, out, ACCESS_SPAN_SIZE);
}
