/* SPDX-License-Identifier: MIT
 *
 * Seats.  Those that nobody holds are freed when the lane comes by again, so
 * there are never more of them than stages were open at once.
 */
#include "seats.h"

#include <stdlib.h>

static struct seat **seats_row_of(struct seats *seats, int64_t stage) {
  return &seats->rows[(uint64_t)stage % SEATS_ROWS];
}

static void free_empty(struct seat **at, int64_t but) {
  while (*at) {
    struct seat *seat = *at;
    if (seat->stage != but && atomic_load(&seat->holders) == 0) {
      *at = seat->next;
      free(seat);
    } else {
      at = &seat->next;
    }
  }
}

struct seat *seats_find(struct seats *seats, int64_t stage) {
  struct seat **row = seats_row_of(seats, stage);
  free_empty(row, stage);
  struct seat *seat = *row;
  while (seat && seat->stage != stage)
    seat = seat->next;
  if (!seat) {
    seat = calloc(1, sizeof *seat);
    if (!seat)
      return NULL;
    seat->stage = stage;
    seat->next = *row;
    *row = seat;
  }
  atomic_fetch_add(&seat->holders, 1);
  return seat;
}

void seats_fini(struct seats *seats) {
  for (unsigned i = 0; i < SEATS_ROWS; i++)
    while (seats->rows[i]) {
      struct seat *next = seats->rows[i]->next;
      free(seats->rows[i]);
      seats->rows[i] = next;
    }
}

void seat_leave(struct seat *seat) {
  atomic_fetch_sub(&seat->holders, 1);
}

bool seat_take(struct seat *seat, uint64_t *turn) {
  uint64_t word = atomic_load(&seat->word);
  if (word & 1)
    return false;
  *turn = word + 2;
  return atomic_compare_exchange_strong(&seat->word, &word, word + 2);
}

void seat_clear(struct seat *seat) {
  atomic_fetch_add(&seat->word, 2);
}

bool seat_is(const struct seat *seat, uint64_t turn) {
  return (atomic_load(&seat->word) & ~(uint64_t)1) == turn;
}

bool seat_begin(struct seat *seat, uint64_t turn) {
  return atomic_compare_exchange_strong(&seat->word, &turn, turn + 1);
}

void seat_end(struct seat *seat) {
  atomic_fetch_and(&seat->word, ~(uint64_t)1);
}
