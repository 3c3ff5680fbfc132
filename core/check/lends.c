/* SPDX-License-Identifier: MIT
 *
 * Checks of what is lent: texts until the call returns, chunks until the other
 * side asks for the next one.
 */
#include "suite.h"

#include "objects.h"
#include "tour.h"

#define LENGTH (5 * ACT_CHUNK + 100)

static void texts(struct lab *lab) {
  lab->poison_texts = true;
  tour_run(lab, "texts");
}

/* A chunk's bytes are spoiled when it came back, and there are others in its
 * place when the next but one is lent. */
static void chunks_in(struct lab *lab) {
  struct lab_key key = lab_key(lab, "in");
  static const size_t sizes[] = {100, 4096, ACT_CHUNK};
  lab->poison_chunks = true;
  for (uint32_t i = 0; i < 3; i++)
    for (int hinted = 0; hinted < 2; hinted++) {
      const struct sample sample = {i, sizes[i] * 5 + 3};
      objects_try(lab, &(struct act_put){.key = key.text,
                                         .sample = sample,
                                         .chunk = sizes[i],
                                         .hinted = hinted == 1});
      objects_expect(lab, key.text, sample);
    }
}

static void chunks_out(struct lab *lab) {
  struct lab_key keys[3] = {lab_key(lab, "out1"), lab_key(lab, "out2"),
                            lab_key(lab, "out3")};
  const struct sample samples[3] = {{1, LENGTH}, {2, LENGTH}, {3, 500}};
  struct act acts[3];
  for (int i = 0; i < 3; i++)
    objects_put(lab, keys[i].text, samples[i]);
  for (int i = 0; i < 3; i++) {
    act_init(&acts[i], lab);
    act_start_get(&acts[i], &(struct act_get){.key = keys[i].text,
                                              .slow = true,
                                              .wanted = &samples[i],
                                              .wanted_count = 1});
  }
  /* Removed meanwhile: what is lent stays all the same. */
  lab_idle(lab, 2);
  objects_put(lab, lab_key(lab, "out4").text, (struct sample){4, LENGTH});
  for (int i = 0; i < 3; i++) {
    act_wait(&acts[i]);
    act_expect(&acts[i], SLUICE_OK);
    act_fini(&acts[i]);
  }
}

const struct check lend_checks[] = {
    {"lent: a text is copied before the call returns",
     "What the gateway passes to a plugin (keys, requests, objects) is lent "
     "until the plugin's function returns",
     texts, false},
    {"lent: a put's chunk is left alone after sluice_next()",
     "A chunk is lent from its send until the receiver asks for the next one",
     chunks_in, false},
    {"lent: a get's chunk stays until more()",
     "The chunk's bytes stay as they are until more() or cancel().",
     chunks_out, false},
    {NULL, NULL, NULL, false}};
