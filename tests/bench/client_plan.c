/* SPDX-License-Identifier: MIT
 *
 * The plan of the bench's client, and the tallies of what became of it.
 */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void die(const char *format, ...) {
  int error = errno;
  va_list arguments;
  va_start(arguments, format);
  fputs("client: ", stderr);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, " (%s)\n", strerror(error));
  va_end(arguments);
  exit(1);
}

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the plan ----------------------------------------------------------- */

static char *read_all(const char *path, size_t *len) {
  size_t room = 1u << 20, got;
  char *text = malloc(room);
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    die("%s can't be read", path);
  *len = 0;
  while (text != NULL &&
         (got = fread(text + *len, 1, room - *len, file)) > 0) {
    *len += got;
    if (*len == room)
      text = realloc(text, room *= 2);
  }
  if (text == NULL)
    die("no memory for the plan");
  fclose(file);
  return text;
}

static bool read_piece(struct piece *piece, const char **at, const char *end) {
  char *after;
  if (*at == end)
    return false;
  piece->head_len = strtoul(*at, &after, 10);
  piece->body_len = strtoull(after, &after, 10);
  piece->tail_len = strtoul(after, &after, 10);
  if (*after != '\n' || piece->head_len > HEAD_ROOM)
    die("the plan is malformed");
  piece->head = after + 1;
  piece->tail = piece->head + piece->head_len;
  *at = piece->tail + piece->tail_len;
  if (*at > end)
    die("the plan is cut");
  const char *mark = memmem(piece->head, piece->head_len, MARK, MARK_LEN);
  piece->mark = mark == NULL ? SIZE_MAX : (size_t)(mark - piece->head);
  return true;
}

static void make_body(struct plan *plan) {
  plan->body_fd = memfd_create("body", 0);
  if (plan->body_fd < 0 || ftruncate(plan->body_fd, BODY_ROOM) != 0)
    die("no memory for a body");
  plan->body = mmap(NULL, BODY_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED,
                    plan->body_fd, 0);
  if (plan->body == MAP_FAILED)
    die("no memory for a body");
  for (size_t at = 0; at < BODY_ROOM; at += 256)
    if (getrandom(plan->body + at, 256, 0) != 256)
      die("no random bytes");
}

void plan_read(struct plan *plan, const char *path) {
  size_t len, room = 0;
  const char *at = read_all(path, &len), *end = at + len;
  struct piece piece;
  while (read_piece(&piece, &at, end)) {
    if (plan->count == room) {
      room = room == 0 ? 64 : 2 * room;
      plan->pieces = realloc(plan->pieces, room * sizeof piece);
    }
    if (plan->pieces == NULL)
      die("no memory for the plan");
    plan->pieces[plan->count++] = piece;
  }
  if (plan->count == 0)
    die("the plan is empty");
  make_body(plan);
}

/* ---- tallies ------------------------------------------------------------ */

/* The first FINE places are exact; later ones have the leading bits. */
static size_t place_of(uint64_t ns) {
  unsigned high = ns < FINE ? 0 : 64 - 6 - (unsigned)__builtin_clzll(ns);
  size_t place =
      high == 0 ? (size_t)ns : high * FINE + (size_t)(ns >> (high - 1)) - FINE;
  return place < SPANS * FINE ? place : SPANS * FINE - 1;
}

static double ns_of(size_t place) {
  size_t high = place / FINE;
  if (high == 0)
    return (double)place;
  return (double)((uint64_t)(place % FINE + FINE) << (high - 1));
}

void tally_count(struct tally *tally, uint64_t ns) {
  tally->requests++;
  tally->taking[place_of(ns)]++;
  if (ns > tally->longest)
    tally->longest = ns;
}

void tally_add(struct tally *all, const struct tally *one) {
  all->requests += one->requests;
  all->bad += one->bad;
  all->broken += one->broken;
  all->sent += one->sent;
  all->got += one->got;
  if (one->ended > all->ended)
    all->ended = one->ended;
  if (one->longest > all->longest)
    all->longest = one->longest;
  for (size_t i = 0; i < SPANS * FINE; i++)
    all->taking[i] += one->taking[i];
}

double tally_quantile(const struct tally *tally, double share) {
  uint64_t seen = 0, wanted = (uint64_t)(share * (double)tally->requests);
  for (size_t i = 0; i < SPANS * FINE; i++) {
    seen += tally->taking[i];
    if (seen > wanted)
      return ns_of(i) / 1e3;
  }
  return (double)tally->longest / 1e3;
}
