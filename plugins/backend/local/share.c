/* SPDX-License-Identifier: MIT
 *
 * The memory, and locks on bytes of it.
 */
#include "share.h"

#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOARD_SIZE sizeof(struct share_board)
#define LOOK_MS 200
#define TURN_MS 1
/* The bytes that SQLite's readers lock, of whatever program. */
#define INDEX_SHARED ((int64_t)0x40000002)
#define INDEX_SHARED_SIZE 510

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int64_t ms) {
  struct timespec time = {.tv_nsec = (long)ms * 1000000};
  nanosleep(&time, NULL);
}

/* ---- made, joined ------------------------------------------------------- */

static void close_fd(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

void share_close(struct share *share) {
  shm_close_vfs(&share->shm);
  if (share->board != NULL)
    munmap(share->board, BOARD_SIZE);
  share->board = NULL;
  close_fd(&share->place);
  close_fd(&share->memory);
  close_fd(&share->guard);
  close_fd(&share->lock);
}

static bool map_board(struct share *share) {
  void *board = mmap(NULL, BOARD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                     share->memory, (off_t)SHM_BOARD);
  share->board = board == MAP_FAILED ? NULL : board;
  return share->board != NULL;
}

/* Was it made by a version that has the same there? */
static bool is_known(const struct share *share) {
  struct stat st;
  return fstat(share->memory, &st) == 0 &&
         st.st_size == (off_t)(SHM_BOARD + (int64_t)BOARD_SIZE) &&
         share->board->layout == SHARE_LAYOUT &&
         share->board->size == BOARD_SIZE;
}

/* A place that nobody has, nor died in. */
static bool take_place(struct share *share, int fd) {
  for (unsigned i = 0; i < SHARE_PLACES; i++)
    if (atomic_load(&share->board->floors[i]) == 0 &&
        shm_lock(fd, F_WRLCK, SHM_PRESENCE + i, 1))
      return true;
  return false;
}

/* A lock of one's own is seen by others alone: the place is the one that is
 * locked for them and not for this one. */
static bool find_place(struct share *share) {
  int other = shm_again(share->memory);
  bool found = false;
  for (unsigned i = 0; other >= 0 && !found && i < SHARE_PLACES; i++) {
    found = shm_is_locked(other, F_WRLCK, SHM_PRESENCE + i, 1) &&
            !shm_is_locked(share->place, F_WRLCK, SHM_PRESENCE + i, 1);
    share->at = i;
  }
  close_fd(&other);
  return found;
}

/* As long as another program reads the index, it is waited for. */
static bool guard_index(struct share *share, bool *can, struct errmsg *err) {
  int64_t until = now_ms() + INDEX_WAIT_MS;
  while (!shm_lock(share->guard, F_WRLCK, INDEX_SHARED, INDEX_SHARED_SIZE)) {
    if (errno != EAGAIN && errno != EACCES) {
      *can = false;
      return true;
    }
    if (now_ms() > until)
      return errmsg_set(err, INDEX_FILE " is in use by another program, a "
                                        "database shell or a backup say; end "
                                        "that");
    pause_ms(20);
  }
  return true;
}

static bool make_memory(struct share *share) {
  share->memory = memfd_create("sluice-local", MFD_CLOEXEC);
  if (share->memory < 0 ||
      ftruncate(share->memory, (off_t)(SHM_BOARD + (int64_t)BOARD_SIZE)) != 0)
    return false;
  share->place = shm_again(share->memory);
  if (share->place < 0 || !map_board(share))
    return false;
  share->board->layout = SHARE_LAYOUT;
  share->board->size = BOARD_SIZE;
  return take_place(share, share->place) && find_place(share);
}

bool share_make(struct share *share, int dir, int lock, struct errmsg *err) {
  bool can = true;
  share->guard = openat(dir, INDEX_FILE, O_RDWR | O_CLOEXEC);
  share->lock = fcntl(lock, F_DUPFD_CLOEXEC, 0);
  can = share->guard >= 0 && share->lock >= 0 && make_memory(share);
  if (can && !guard_index(share, &can, err)) {
    share_close(share);
    return false;
  }
  if (!can || !shm_open_vfs(&share->shm, share->memory))
    share_close(share);
  return true;
}

bool share_join(struct share *share, const int fds[SHARE_FDS],
                struct errmsg *err) {
  share->lock = fds[0];
  share->guard = fds[1];
  share->memory = fds[2];
  share->place = fds[3];
  atomic_store(&share->passed, 1);
  bool mapped = map_board(share);
  if (mapped && !is_known(share)) {
    share_close(share);
    return errmsg_set(err, "the gateway before is of a version that shares a "
                           "store in another way; stop that one, and start "
                           "this one without --takeover");
  }
  if (mapped && find_place(share) && shm_open_vfs(&share->shm, share->memory))
    return true;
  share_close(share);
  return errmsg_set(err, "what the gateway before has handed over can't be "
                         "used; is /proc mounted, and is there memory?");
}

size_t share_pass(struct share *share, int fds[SHARE_FDS]) {
  const int own[] = {share->lock, share->guard, share->memory};
  size_t count = 0;
  if (share->memory < 0)
    return 0;
  int place = shm_again(share->memory);
  if (place < 0 || !take_place(share, place)) {
    close_fd(&place);
    return 0;
  }
  atomic_store(&share->looked_ms, now_ms());
  atomic_fetch_add(&share->passed, 1);
  for (; count < sizeof own / sizeof *own; count++) {
    fds[count] = fcntl(own[count], F_DUPFD_CLOEXEC, 0);
    if (fds[count] < 0)
      break;
  }
  if (count + 1 == SHARE_FDS) {
    fds[count] = place;
    return SHARE_FDS;
  }
  while (count-- > 0)
    close(fds[count]);
  close(place);
  return 0;
}

/* ---- who is there ------------------------------------------------------- */

static bool others(const struct share *share) {
  return shm_is_locked(share->place, F_WRLCK, SHM_PRESENCE, SHARE_PLACES);
}

/* One that is let in while another thread looks is of the next number. */
bool share_among(struct share *share) {
  uint64_t passed = atomic_load(&share->passed);
  if (share->memory < 0 || passed == atomic_load(&share->left))
    return false;
  int64_t now = now_ms(), looked = atomic_load(&share->looked_ms);
  if (now - looked < LOOK_MS ||
      !atomic_compare_exchange_strong(&share->looked_ms, &looked, now))
    return true;
  if (others(share))
    return true;
  share->alone(share->arg);
  atomic_store(&share->left, passed);
  return passed != atomic_load(&share->passed);
}

bool share_is_last(struct share *share) {
  if (share->memory < 0)
    return true;
  if (others(share))
    return false;
  for (unsigned i = 0; i < SHARE_PLACES; i++)
    if (i != share->at && atomic_load(&share->board->floors[i]) != 0)
      return false;
  return true;
}

void share_note(struct share *share, uint64_t number) {
  if (share->board != NULL)
    atomic_store(&share->board->floors[share->at], number);
}

uint64_t share_floor(const struct share *share, uint64_t mine) {
  for (unsigned i = 0; share->board != NULL && i < SHARE_PLACES; i++) {
    uint64_t floor = atomic_load(&share->board->floors[i]);
    if (i != share->at && floor != 0 && floor < mine)
      mine = floor;
  }
  return mine;
}

/* ---- turns -------------------------------------------------------------- */

static bool wait_for(int fd, int64_t byte, int64_t until) {
  while (!shm_lock(fd, F_WRLCK, byte, 1)) {
    if (now_ms() >= until)
      return false;
    pause_ms(TURN_MS);
  }
  return true;
}

/* A process that waits has the first byte; so the one that comes from a turn
 * waits for that one, until it has the second. */
bool share_enter(struct share *share) {
  if (!share_among(share))
    return true;
  int64_t until = now_ms() + share->wait_ms;
  wait_for(share->place, SHM_TURNS, until);
  bool got = wait_for(share->place, SHM_TURNS + 1, until);
  shm_lock(share->place, F_UNLCK, SHM_TURNS, 1);
  share->turn = true;
  return got;
}

void share_leave(struct share *share) {
  if (share->turn)
    shm_lock(share->place, F_UNLCK, SHM_TURNS, 2);
  share->turn = false;
}

/* ---- stages ------------------------------------------------------------- */

bool share_open_stage(struct share *share, int64_t id,
                      struct share_stage **out) {
  *out = NULL;
  if (share->board == NULL)
    return true;
  struct share_stage *stages = share->board->stages[share->at];
  for (unsigned i = 0; i < SHARE_STAGES; i++) {
    struct share_stage *stage = &stages[((uint64_t)id + i) % SHARE_STAGES];
    if (atomic_load(&stage->open) != 0)
      continue;
    atomic_store(&stage->id, id);
    atomic_store(&stage->open, 1);
    *out = stage;
    return true;
  }
  return false;
}

void share_close_stage(struct share_stage *stage) {
  if (stage != NULL)
    atomic_store(&stage->open, 0);
}

bool share_has_stage(struct share *share, int64_t id) {
  if (!share_among(share))
    return false;
  for (unsigned i = 0; i < SHARE_PLACES; i++) {
    if (i == share->at ||
        !shm_is_locked(share->place, F_WRLCK, SHM_PRESENCE + i, 1))
      continue;
    struct share_stage *stages = share->board->stages[i];
    for (unsigned k = 0; k < SHARE_STAGES; k++)
      if (atomic_load(&stages[k].open) != 0 &&
          atomic_load(&stages[k].id) == id)
        return true;
  }
  return false;
}
