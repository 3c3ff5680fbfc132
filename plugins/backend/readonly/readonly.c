/* SPDX-License-Identifier: MIT
 *
 * The layer `readonly`: the backend below, of which nothing is changed by any
 * request.  Reading passes.  sluice-readonly(7).
 */
#include <sluice/plugin.h>

#include <string.h>

struct readonly_conf {
  const char *over;
};

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct readonly_conf, over),
     "the backend that is only read"},
    {NULL, 0, NULL, 0, NULL}};

static void refuse(struct sluice_op *op) {
  sluice_done(op, SLUICE_EDENIED, "the backend is read-only");
}

static void readonly_put(void *host, struct sluice_op *op,
                         const struct sluice_put *put) {
  (void)host, (void)put;
  refuse(op);
}

static void readonly_remove(void *host, struct sluice_op *op,
                            const char *key) {
  (void)host, (void)key;
  refuse(op);
}

static void readonly_remove_if(void *host, struct sluice_op *op,
                               const struct sluice_removal *removal) {
  (void)host, (void)removal;
  refuse(op);
}

static void readonly_copy(void *host, struct sluice_op *op,
                          const struct sluice_copy *copy) {
  (void)host, (void)copy;
  refuse(op);
}

/* A link of the storage's own goes around the gateway, so it may do no more
 * than read. */
static void readonly_presign(void *host, struct sluice_op *op,
                             const struct sluice_link *link) {
  if (strcmp(link->method, "GET") == 0 || strcmp(link->method, "HEAD") == 0)
    sluice_ask_presign(sluice_store(host, NULL), op, link, NULL, NULL);
  else
    refuse(op);
}

static void readonly_verify(void *host, struct sluice_op *op,
                            const struct sluice_claim *claim) {
  sluice_ask_verify(sluice_store(host, NULL), op, claim, NULL, NULL);
}

static const struct sluice_backend readonly = {
    SLUICE_HEAD(sluice_backend),
    .name = "readonly",
    .version = SLUICE_VERSION,
    .summary = "another backend, which is only read",
    .options = options,
    .conf_size = sizeof(struct readonly_conf),
    .put = readonly_put,
    .remove = readonly_remove,
    .presign = readonly_presign,
    .verify = readonly_verify,
    .remove_if = readonly_remove_if,
    .copy = readonly_copy,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(readonly, readonly)
