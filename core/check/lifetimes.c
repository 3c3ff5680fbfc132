/* SPDX-License-Identifier: MIT
 *
 * Checks of lent memory: texts until the call returns, chunks until the other
 * side asks for the next one.
 */
#include "suite.h"

#include "objects.h"
#include "round_trip.h"

#define LENGTH (5 * OP_DRIVER_CHUNK + 100)

static void lifetimes_texts(struct fixture *fixture) {
  fixture->poison_texts = true;
  round_trip_run(fixture, "texts");
}

/* A chunk's bytes are spoiled when it came back, and there are others in its
 * place when the next but one is lent. */
static void chunks_in(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "in");
  static const size_t sizes[] = {100, 4096, OP_DRIVER_CHUNK};
  fixture->poison_chunks = true;
  for (uint32_t i = 0; i < 3; i++)
    for (int hinted = 0; hinted < 2; hinted++) {
      const struct sample sample = {i, sizes[i] * 5 + 3};
      objects_try(fixture, &(struct op_driver_put){.key = key.text,
                                                   .sample = sample,
                                                   .chunk = sizes[i],
                                                   .hinted = hinted == 1});
      objects_expect(fixture, key.text, sample);
    }
}

static void chunks_out(struct fixture *fixture) {
  struct fixture_key keys[3] = {fixture_key(fixture, "out1"),
                                fixture_key(fixture, "out2"),
                                fixture_key(fixture, "out3")};
  const struct sample samples[3] = {{1, LENGTH}, {2, LENGTH}, {3, 500}};
  struct op_driver drivers[3];
  for (int i = 0; i < 3; i++)
    objects_put(fixture, keys[i].text, samples[i]);
  for (int i = 0; i < 3; i++) {
    op_driver_init(&drivers[i], fixture);
    op_driver_start_get(&drivers[i],
                        &(struct op_driver_get){.key = keys[i].text,
                                                .slow = true,
                                                .wanted = &samples[i],
                                                .wanted_count = 1});
  }
  /* Removed meanwhile: what is lent stays all the same. */
  fixture_idle(fixture, 2);
  objects_put(fixture, fixture_key(fixture, "out4").text,
              (struct sample){4, LENGTH});
  for (int i = 0; i < 3; i++) {
    op_driver_wait(&drivers[i]);
    op_driver_expect(&drivers[i], SLUICE_OK);
    op_driver_fini(&drivers[i]);
  }
}

const struct check lifetime_checks[] = {
    {"lent: a text is copied before the call returns",
     "What the gateway passes to a plugin (keys, requests, objects) is lent "
     "until the plugin's function returns",
     lifetimes_texts, CHECK_USUAL},
    {"lent: a put's chunk is left alone after sluice_next()",
     "A chunk is lent from its send until the receiver asks for the next one",
     chunks_in, CHECK_USUAL},
    {"lent: a get's chunk stays until more()",
     "The chunk's bytes stay as they are until more() or cancel().",
     chunks_out, CHECK_USUAL},
    {0}};
