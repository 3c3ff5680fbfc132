/* SPDX-License-Identifier: MIT
 *
 * The backend `local` killed at any moment: what was acknowledged is there,
 * whole, nothing else is half there, and no blob lies about after the next
 * start.
 */
#include "localkit.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 24u
#define ROUNDS 20
#define INLINE 1000u

/* The child tells this before and after each operation. */
struct note {
  uint32_t key, version; /* version 0: it is removed */
  bool acknowledged;
};

struct fate {
  uint32_t settled, begun; /* versions; equal: nothing is under way */
};

static size_t length_of(uint32_t key, uint32_t version) {
  uint64_t state = key * 7919u + version;
  return (size_t)(kit_noise(&state) % (4 * INLINE));
}

static char *bytes_of(uint32_t key, uint32_t version) {
  return kit_bytes((uint64_t)key << 32 | version, length_of(key, version));
}

/* ---- the child: works until it is killed ---- */

struct job {
  struct call call;
  char name[32];
  char *data;
  struct note note;
};

static void tell(int out, const struct note *note) {
  if (write(out, note, sizeof *note) != (ssize_t)sizeof *note)
    _exit(1);
}

static void begin(struct job *job, struct kit *kit, uint32_t key,
                  uint32_t version, int out) {
  snprintf(job->name, sizeof job->name, "k/%u", key);
  job->note = (struct note){.key = key, .version = version};
  job->data = bytes_of(key, version);
  job->call = (struct call){.kit = kit,
                            .key = job->name,
                            .data = job->data,
                            .length = length_of(key, version),
                            .piece = 900,
                            .hint = -1};
  tell(out, &job->note);
  if (version)
    call_put(&job->call);
  else
    call_remove(&job->call);
}

static void finish(struct job *job, int out) {
  if (job->call.status != SLUICE_OK)
    _exit(2);
  job->note.acknowledged = true;
  tell(out, &job->note);
  call_fini(&job->call);
  free(job->data);
}

static void end_job(struct job *job, int out) {
  call_wait(&job->call);
  finish(job, out);
}

/* Every other key, of which none is under way, by one operation. */
static void remove_some(struct kit *kit, struct job *jobs, bool *busy,
                        uint32_t first, int out) {
  const char *keys[KEYS];
  enum sluice_status each[KEYS];
  struct note notes[KEYS];
  size_t count = 0;
  for (uint32_t key = first; key < KEYS; key += 2) {
    if (busy[key])
      end_job(&jobs[key], out);
    busy[key] = false;
    snprintf(jobs[key].name, sizeof jobs[key].name, "k/%u", key);
    notes[count] = (struct note){.key = key};
    keys[count] = jobs[key].name;
    tell(out, &notes[count++]);
  }
  if (kit_remove_many(kit, keys, count, each) != 0)
    _exit(4);
  for (size_t i = 0; i < count; i++) {
    notes[i].acknowledged = true;
    tell(out, &notes[i]);
  }
}

static _Noreturn void work(struct kit *kit, uint64_t seed, int out) {
  static struct job jobs[KEYS];
  bool busy[KEYS] = {false};
  if (!kit_start(kit))
    _exit(3);
  for (;;) {
    uint32_t key = (uint32_t)(kit_noise(&seed) % KEYS);
    if (busy[key])
      end_job(&jobs[key], out);
    uint64_t choice = kit_noise(&seed);
    if (choice / 5 % 20 == 0) {
      busy[key] = false;
      remove_some(kit, jobs, busy, key % 2, out);
      continue;
    }
    uint32_t version = choice % 5 == 0 ? 0 : (uint32_t)(choice >> 32) | 1;
    begin(&jobs[key], kit, key, version, out);
    busy[key] = true;
  }
}

/* ---- the parent ---- */

static void take(struct fate *fates, const struct note *note) {
  struct fate *fate = &fates[note->key];
  fate->begun = note->version;
  if (note->acknowledged)
    fate->settled = note->version;
}

/* Reads notes; kills the child after so many of them. */
static void follow(pid_t child, int in, uint64_t notes, struct fate *fates) {
  struct note note;
  while (read(in, &note, sizeof note) == (ssize_t)sizeof note) {
    take(fates, &note);
    if (notes-- == 0)
      kill(child, SIGKILL);
  }
}

static void crash(struct kit *kit, uint64_t seed, struct fate *fates) {
  int ends[2], status = 0;
  uint64_t state = seed;
  CU_ASSERT_FATAL(pipe(ends) == 0);
  fflush(stdout);
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    close(ends[0]);
    work(kit, seed, ends[1]);
  }
  close(ends[1]);
  follow(child, ends[0], 2 * KEYS + kit_noise(&state) % 400, fates);
  close(ends[0]);
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool is_version(struct kit *kit, const char *name, uint32_t key,
                       uint32_t version) {
  if (version == 0)
    return kit_head(kit, name) == SLUICE_ENOENT;
  char *data = bytes_of(key, version);
  bool is = kit_has(kit, name, data, length_of(key, version));
  free(data);
  return is;
}

/* The version that is there was acknowledged last, or was under way. */
static void verify(struct kit *kit, struct fate *fates) {
  size_t blobs = 0;
  for (uint32_t key = 0; key < KEYS; key++) {
    char name[32];
    struct fate *fate = &fates[key];
    snprintf(name, sizeof name, "k/%u", key);
    if (!is_version(kit, name, key, fate->settled)) {
      bool begun = is_version(kit, name, key, fate->begun);
      CU_ASSERT(begun);
      fate->settled = fate->begun;
    }
    fate->begun = fate->settled;
    blobs += fate->settled && length_of(key, fate->settled) > INLINE;
  }
  CU_ASSERT_EQUAL(kit_files(kit, "blobs"), blobs);
  CU_ASSERT_EQUAL(kit_files(kit, "tmp"), 0);
  CU_ASSERT_EQUAL(kit_files(kit, "lost+found"), 0);
}

static void test_killed_anywhere_it_keeps_what_it_acknowledged(void) {
  struct kit kit;
  struct fate fates[KEYS] = {{0, 0}};
  kit_init(&kit, INLINE);
  for (uint64_t round = 0; round < ROUNDS; round++) {
    crash(&kit, round + 1, fates);
    CU_ASSERT_FATAL(kit_start(&kit));
    verify(&kit, fates);
    kit_stop(&kit);
  }
  kit_fini(&kit);
}

/* ---- the sweep and its numbers ---- */

static void orphan(const struct kit *kit, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "%s/blobs/%s", kit->dir, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CU_ASSERT(fd >= 0);
  close(fd);
}

static int64_t state(const struct kit *kit, const char *name) {
  char sql[100];
  snprintf(sql, sizeof sql, "SELECT value FROM state WHERE name = '%s'", name);
  return kit_number(kit, sql);
}

static void test_sweep_takes_orphans_and_nothing_else(void) {
  struct kit kit;
  char *data = kit_bytes(1, 5000);
  kit_init(&kit, INLINE);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_put(&kit, "a", data, 5000); /* number 1 */
  kit_stop(&kit);
  CU_ASSERT_EQUAL(state(&kit, "low"), 2);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_put(&kit, "b", data, 5000); /* 2 */
  kit_stop(&kit);
  /* As after a crash: clean is 0, and the last numbers aren't settled. */
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 0 WHERE name = 'clean';"
                          "UPDATE state SET value = 2 WHERE name = 'low';"
                          "UPDATE state SET value = 9 WHERE name = 'next';"
                          "INSERT INTO recent VALUES(2)"));
  orphan(&kit, "0/00/0000000000000003");
  orphan(&kit, "0/00/0000000000000008");
  orphan(&kit, "0/00/0000000000000009"); /* wasn't handed out by this index */
  orphan(&kit, "0/00/0000000000000000"); /* is settled */
  orphan(&kit, "0/00/notes");
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 4);
  CU_ASSERT_EQUAL(kit_files(&kit, "lost+found"), 1);
  CU_ASSERT(kit_has(&kit, "a", data, 5000));
  CU_ASSERT(kit_has(&kit, "b", data, 5000));
  kit_stop(&kit);
  CU_ASSERT_EQUAL(state(&kit, "low"), state(&kit, "next"));
  free(data);
  kit_fini(&kit);
}

static void test_garbage_is_gone_after_a_start(void) {
  struct kit kit;
  char *data = kit_bytes(1, 5000);
  kit_init(&kit, INLINE);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_put(&kit, "a", data, 5000);
  kit_stop(&kit);
  CU_ASSERT(kit_sql(&kit, "INSERT INTO garbage VALUES(1), (77);"
                          "DELETE FROM object"));
  CU_ASSERT_FATAL(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs"), 0);
  kit_stop(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT count(*) FROM garbage"), 0);
  free(data);
  kit_fini(&kit);
}

static void test_low_number_follows_but_for_a_slow_commit(void) {
  struct kit kit;
  char *data = kit_bytes(1, 5000);
  kit_init(&kit, INLINE);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_stop(&kit);
  CU_ASSERT(kit_sql(&kit, "UPDATE state SET value = 65534"
                          " WHERE name IN ('next', 'low')"));
  CU_ASSERT_FATAL(kit_start(&kit));
  unsigned slow = ledger_pin(&kit.local->ledger);
  for (int i = 0; i < 6; i++)
    CU_ASSERT_EQUAL(kit_put(&kit, i % 2 ? "a" : "b", data, 5000), SLUICE_OK);
  CU_ASSERT_EQUAL(kit.local->ledger.low, 65534);
  ledger_unpin(&kit.local->ledger, slow);
  kit_put(&kit, "c", data, 5000);
  CU_ASSERT_EQUAL(kit.local->ledger.low, 65536);
  CU_ASSERT_EQUAL(state(&kit, "low"), 65536);
  CU_ASSERT_EQUAL(kit_number(&kit, "SELECT min(blob) FROM recent"), 65536);
  CU_ASSERT(kit_has(&kit, "a", data, 5000));
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs/0"), 0);
  CU_ASSERT_EQUAL(kit_files(&kit, "blobs/1"), 3);
  free(data);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_numbers_are_reserved_before_they_are_used(void) {
  struct kit kit;
  char *data = kit_bytes(1, 5000);
  kit_init(&kit, INLINE);
  CU_ASSERT_FATAL(kit_start(&kit));
  struct ledger *ledger = &kit.local->ledger;
  uint64_t number;
  CU_ASSERT(ledger_take(ledger, &number));
  atomic_store(&ledger->reserved, number + 1);
  CU_ASSERT_FALSE(ledger_take(ledger, &number));
  CU_ASSERT_EQUAL(kit_put(&kit, "a", data, 5000), SLUICE_OK);
  CU_ASSERT(kit_has(&kit, "a", data, 5000));
  CU_ASSERT(state(&kit, "next") > (int64_t)atomic_load(&ledger->next));
  atomic_store(&ledger->next, atomic_load(&ledger->reserved) - 1);
  CU_ASSERT_EQUAL(kit_put(&kit, "b", data, 5000), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(&kit, "c", data, 5000), SLUICE_OK);
  CU_ASSERT(state(&kit, "next") > (int64_t)atomic_load(&ledger->next));
  CU_ASSERT(ledger_idle(ledger));
  free(data);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_sweep_takes_orphans_and_nothing_else),
      UNIT(test_garbage_is_gone_after_a_start),
      UNIT(test_low_number_follows_but_for_a_slow_commit),
      UNIT(test_numbers_are_reserved_before_they_are_used),
      UNIT(test_killed_anywhere_it_keeps_what_it_acknowledged),
      {NULL, NULL}};
  return unit_main("local crash", tests);
}
