/* SPDX-License-Identifier: MIT
 *
 * Hooks that do as their letter says.
 */
#include "requestkit.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static enum sluice_verdict on_phase(void *handle,
                                    struct sluice_request *request) {
  const char *letter = handle;
  struct scene *scene =
      (void *)((char *)request - offsetof(struct scene, request));
  scene->asked[strlen(scene->asked)] = *letter;
  int *count = sluice_request_state(request, sizeof *count);
  scene->counts[letter - scene->letters] = ++*count;
  switch (*letter | 32) {
  case 'a':
    return SLUICE_ALLOW;
  case 'd':
    return SLUICE_DENY;
  case 'w':
    return SLUICE_WAIT;
  case 'r':
    sluice_request_resume(request, SLUICE_ALLOW);
    return SLUICE_WAIT;
  case 'f':
    sluice_request_refuse(request, SLUICE_ERATE, "Not so fast");
    return SLUICE_DENY;
  default:
    return SLUICE_PASS;
  }
}

static enum sluice_verdict on_change(void *handle,
                                     struct sluice_request *request,
                                     const struct sluice_object *object) {
  CU_ASSERT_STRING_EQUAL(object->key, "k");
  return on_phase(handle, request);
}

void scene_then(void *arg, bool admitted) {
  struct scene *scene = arg;
  scene->thens++;
  scene->admitted = admitted;
}

void scene_init_head(struct scene *scene, const char *letters,
                     const char *text) {
  struct head_refusal refusal;
  size_t len = strlen(text);
  char *copy = malloc(len + 1);
  *scene = (struct scene){.loop = loop_new()};
  memcpy(copy, text, len);
  CU_ASSERT_TRUE_FATAL(head_parse(&scene->head, copy, len, &refusal));
  request_init(&scene->request, scene->loop, &scene->head, "127.0.0.1");
  for (size_t i = 0; letters[i] != '\0'; i++) {
    bool none = (letters[i] | 32) == 'n';
    scene->letters[i] = letters[i];
    scene->plugins[i] = (struct sluice_hook){
        SLUICE_HEAD(sluice_hook), .guards = letters[i] < 'a',
        .on_request = none ? NULL : on_phase, .on_key = none ? NULL : on_phase,
        .on_change = none ? NULL : on_change};
    scene->hooks[i].plugin = &scene->plugins[i];
    scene->hooks[i].handle = &scene->letters[i];
    scene->all[i] = &scene->hooks[i];
    scene->chain[i] = i;
    scene->request.chain_count++;
  }
  scene->request.hooks = scene->all;
  scene->request.chain = scene->chain;
}

void scene_init(struct scene *scene, const char *letters) {
  scene_init_head(scene, letters,
                  "GET /files?a=b HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n");
}

void scene_fini(struct scene *scene) {
  request_fini(&scene->request);
  head_fini(&scene->head);
  loop_free(scene->loop);
}

void scene_turn(struct scene *scene) {
  event_base_loop(loop_base(scene->loop), EVLOOP_NONBLOCK);
}
