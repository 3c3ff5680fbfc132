/* SPDX-License-Identifier: MIT
 *
 * One request for an issuer's keys.
 */
#include "jwksfetch.h"

#include <stdlib.h>

#include "buf.h"

struct jwksfetch {
  struct sluice_host *host;
  struct httpc_call *call; /* NULL: it ended */
  struct buf text;
  bool canceled; /* while a thread reads */
  struct jwks *keys;
  struct errmsg why;
  void (*done)(void *arg, struct jwks *keys, const char *why);
  void *arg;
};

static void fetch_free(struct jwksfetch *fetch) {
  buf_fini(&fetch->text);
  jwks_free(fetch->keys);
  free(fetch);
}

static void jwksfetch_finish(struct jwksfetch *fetch) {
  struct jwks *keys = fetch->keys;
  fetch->keys = NULL;
  if (!fetch->canceled)
    fetch->done(fetch->arg, keys, fetch->why.text);
  else
    jwks_free(keys);
  fetch_free(fetch);
}

static void read_keys(void *arg) {
  struct jwksfetch *fetch = arg;
  struct errmsg why = {""};
  fetch->keys = jwks_read(fetch->text.data, fetch->text.len, false, &why);
  if (fetch->keys == NULL)
    errmsg_set(&fetch->why, "its answer is no key set: %.400s", why.text);
}

static void have_read(void *arg) {
  jwksfetch_finish(arg);
}

/* It isn't read to its end, however long it is. */
static bool jwksfetch_on_data(void *arg, const char *data, size_t len) {
  struct jwksfetch *fetch = arg;
  if (buf_add(&fetch->text, data, len))
    return true;
  httpc_cancel(fetch->call);
  errmsg_set(&fetch->why,
             "its answer is longer than %d bytes; is the address "
             "right?",
             JWKS_TEXT_MAX);
  jwksfetch_finish(fetch);
  return true;
}

static void jwksfetch_on_done(void *arg, enum httpc_result result,
                              const char *why) {
  struct jwksfetch *fetch = arg;
  int status = result == HTTPC_OK ? httpc_status(fetch->call) : 0;
  fetch->call = NULL;
  if (status == 200) {
    sluice_work(fetch->host, read_keys, have_read, fetch);
    return;
  }
  if (result != HTTPC_OK)
    errmsg_set(&fetch->why, "it doesn't answer: %.400s", why);
  else if (status >= 300 && status < 400)
    errmsg_set(&fetch->why,
               "it answers %d; write the address that this leads "
               "to",
               status);
  else
    errmsg_set(&fetch->why, "it answers %d", status);
  jwksfetch_finish(fetch);
}

struct jwksfetch *
jwksfetch_start(struct sluice_host *host, struct httpc *httpc, const char *url,
                void (*done)(void *arg, struct jwks *keys, const char *why),
                void *arg) {
  static const struct httpc_events events = {.data = jwksfetch_on_data,
                                             .done = jwksfetch_on_done};
  static const char *const headers[] = {
      "Accept: application/jwk-set+json, application/json",
      "User-Agent: sluice/" SLUICE_VERSION, "Connection: close", NULL};
  struct jwksfetch *fetch = calloc(1, sizeof *fetch);
  if (fetch == NULL)
    return NULL;
  fetch->host = host;
  fetch->done = done;
  fetch->arg = arg;
  buf_init(&fetch->text, JWKS_TEXT_MAX);
  fetch->call = httpc_start(httpc,
                            &(struct httpc_request){.method = "GET",
                                                    .url = url,
                                                    .headers = headers,
                                                    .length = -1,
                                                    .new_connection = true},
                            &events, fetch);
  if (fetch->call != NULL)
    return fetch;
  fetch_free(fetch);
  return NULL;
}

void jwksfetch_cancel(struct jwksfetch *fetch) {
  if (fetch->call == NULL) {
    fetch->canceled = true; /* it comes back from the pool */
    return;
  }
  httpc_cancel(fetch->call);
  fetch_free(fetch);
}
