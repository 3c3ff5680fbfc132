/* SPDX-License-Identifier: MIT
 *
 * Lines for libevent, memory for it, for jansson and OpenSSL.
 */
#include "libraries.h"

#include <event2/event.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "log.h"
#include "must.h"
#include "wipe.h"

static void on_line(int severity, const char *message) {
  if (severity == EVENT_LOG_WARN || severity == EVENT_LOG_ERR)
    log_line(severity == EVENT_LOG_ERR ? SLUICE_LOG_ERROR : SLUICE_LOG_WARN,
             NULL, "libevent: %s", message);
}

/* ---- OpenSSL, which says who asks --------------------------------------- */

static void *openssl_malloc(size_t size, const char *file, int line) {
  (void)file;
  (void)line;
  return must_malloc(size);
}

static void *openssl_realloc(void *of, size_t size, const char *file,
                             int line) {
  (void)file;
  (void)line;
  return must_realloc(of, size);
}

static void openssl_free(void *memory, const char *file, int line) {
  (void)file;
  (void)line;
  free(memory);
}

/* ---- libevent ----------------------------------------------------------- */

#define CHAIN_LEAST 1000 /* bytes of a piece of an evbuffer, at least */

/* Heads of requests over TLS come in such pieces. */
static void chain_free(void *block) {
  if (malloc_usable_size(block) < CHAIN_LEAST)
    free(block);
  else
    wipe_free(block);
}

/* ---- all ---------------------------------------------------------------- */

void libraries_begin(void) {
  CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
  event_set_mem_functions(must_malloc, must_realloc, chain_free);
  event_set_log_callback(on_line);
  json_set_alloc_funcs(must_malloc, free);
}
