/* SPDX-License-Identifier: MIT
 *
 * The parts of a request that an access log may say.
 */
#include "access.h"

#include <string.h>

#include "operation.h"

const char *access_query(const struct sluice_request *request) {
  const char *query = sluice_request_query(request);
  enum operation operation = operation_find(sluice_request_operation(request));
  if (query == NULL)
    return NULL;
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
