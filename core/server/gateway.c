/* SPDX-License-Identifier: MIT
 *
 * The gateway before and after its run.
 */
#include "gateway.h"

#include <stdlib.h>

#include "codec.h"

static void make_spare_id(struct gateway *gateway) {
  unsigned char random[32];
  digest_random(random, sizeof random);
  codec_hex(gateway->spare_id, random, sizeof random);
}

struct gateway *gateway_new(const char *file, const char *folder,
                            struct errmsg *errmsg) {
  struct gateway *gateway = calloc(1, sizeof *gateway);
  if (gateway == NULL) {
    errmsg_set(errmsg, "out of memory");
    return NULL;
  }
  gateway->file = file;
  gateway->folder = folder;
  gateway->takeover.socket = -1;
  gateway->starter.socket = -1;
  LIST_INIT(&gateway->earlier);
  make_spare_id(gateway);
  gateway->now = generation_new(gateway, errmsg);
  if (gateway->now == NULL) {
    gateway_free(gateway);
    return NULL;
  }
  gateway->now->number = 1;
  gateway->fixed = settings_keep(gateway->now->settings);
  atomic_init(&gateway->memory.free, (int64_t)gateway->fixed->limits.memory);
  certificate_use(&gateway->certificate, gateway->fixed,
                  &gateway->now->certificate);
  return gateway;
}

void gateway_free(struct gateway *gateway) {
  if (gateway == NULL)
    return;
  generation_free(gateway->now);
  starter_end(&gateway->starter);
  confine_end(&gateway->confine);
  clients_fini(&gateway->clients);
  certificate_fini(&gateway->certificate);
  metrics_fini(&gateway->retired);
  settings_free(gateway->fixed);
  free(gateway);
}
