/* SPDX-License-Identifier: MIT
 *
 * A handler that calls nothing but what a handler may.  What the dynamic
 * linker knows is written down before, as asking it may take its lock.  Who
 * called is found on the stack: the first word that points into a plugin's
 * code, as frames can't be unwound safely in a handler.
 */
#include "crash.h"

#include <elf.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "log.h"
#include "sanitized.h"
#include "urgent.h"

#define STACK_SIZE                                         \
  (48u * 1024) /* registers of some processors take 12 KiB \
                */
#define NAME_MAX_LEN 63
#define SETTLE_MS 200  /* for the lines before, with a log that stands */
#define OTHER_MS 2000u /* for the thread that crashed first */

struct object { /* that is loaded; its code lies in [low, high) */
  uintptr_t base, low, high;
  const char *plugin; /* NULL: it is none */
  char file[NAME_MAX_LEN + 1];
};

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define CRASHES (sizeof crashes / sizeof *crashes)

static struct {
  struct object objects[CRASH_OBJECTS_MAX];
  size_t count;
  atomic_flag began;
} crash_table = {.began = ATOMIC_FLAG_INIT};

static _Thread_local struct {
  struct about *about;
  uintptr_t stack_end; /* 0: unknown */
  char stack[STACK_SIZE];
} crash_mine;

/* ---- what is known before ----------------------------------------------- */

static void name_object(struct object *object, const char *path) {
  const char *name = strrchr(path, '/');
  name = path[0] == '\0' ? "sluice" : name == NULL ? path : name + 1;
  size_t len = strlen(name);
  memcpy(object->file, name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
}

static struct object *find_object(uintptr_t address) {
  for (size_t i = 0; i < crash_table.count; i++) {
    struct object *object = &crash_table.objects[i];
    if (address >= object->low && address < object->high)
      return object;
  }
  return NULL;
}

static int add_object(struct dl_phdr_info *info, size_t size, void *arg) {
  (void)size, (void)arg;
  if (crash_table.count == CRASH_OBJECTS_MAX)
    return 1;
  struct object object = {.base = info->dlpi_addr, .low = UINTPTR_MAX};
  for (size_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t low = info->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
      continue;
    object.low = low < object.low ? low : object.low;
    if (low + part->p_memsz > object.high)
      object.high = low + part->p_memsz;
  }
  name_object(&object, info->dlpi_name);
  if (object.high > 0 && find_object(object.low) == NULL)
    crash_table.objects[crash_table.count++] = object;
  return 0;
}

void crash_plugin(const char *name, uintptr_t inside) {
  struct object *object = find_object(inside);
  if (object == NULL && crash_table.count > 0) /* it was loaded since */
    dl_iterate_phdr(add_object, NULL);
  if (object == NULL)
    object = find_object(inside);
  if (object != NULL)
    object->plugin = name;
}

struct about *crash_about(struct about *about) {
  struct about *before = crash_mine.about;
  crash_mine.about = about;
  return before;
}

struct about *crash_request(void) {
  return crash_mine.about;
}

/* A fault that is blocked ends the process without asking the handler, and so
 * does a system call that is refused. */
static void unblock(void) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < CRASHES; i++)
    sigaddset(&set, crashes[i]);
  sigaddset(&set, SIGSYS);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void crash_thread(void) {
  pthread_attr_t attr;
  void *low;
  size_t size;
  if (SANITIZED)
    return;
  unblock();
  stack_t stack = {.ss_sp = crash_mine.stack, .ss_size = STACK_SIZE};
  sigaltstack(&stack, NULL);
  if (pthread_getattr_np(pthread_self(), &attr) != 0)
    return;
  if (pthread_attr_getstack(&attr, &low, &size) == 0)
    crash_mine.stack_end = (uintptr_t)low + size;
  pthread_attr_destroy(&attr);
}

/* ---- the crash ---------------------------------------------------------- */

struct place {
  uintptr_t code, stack; /* 0: not known on this processor */
};

static struct place place_of(const ucontext_t *context) {
#if defined __x86_64__
  const greg_t *registers = context->uc_mcontext.gregs;
  return (struct place){(uintptr_t)registers[REG_RIP],
                        (uintptr_t)registers[REG_RSP]};
#elif defined __aarch64__
  return (struct place){context->uc_mcontext.pc, context->uc_mcontext.sp};
#else
  (void)context;
  return (struct place){0, 0};
#endif
}

/* A word on the stack that points into a plugin, behind the newest frame's
 * beginning; 0: none.  What lies beyond the stack isn't touched. */
static uintptr_t caller_of(uintptr_t stack) {
  /* Addresses that the kernel told, as numbers. */
  /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
  const uintptr_t *word = (const uintptr_t *)(stack & ~(sizeof(void *) - 1));
  /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
  const uintptr_t *end = (const uintptr_t *)crash_mine.stack_end;
  if (stack == 0 || end == NULL || end - word > (64 << 20))
    return 0;
  for (; word < end; word++) {
    const struct object *object = find_object(*word);
    if (object != NULL && object->plugin != NULL)
      return *word;
  }
  return 0;
}

static void say_place(struct urgent *line, uintptr_t address) {
  const struct object *object = find_object(address);
  if (object == NULL) {
    urgent_text(line, "at ");
    urgent_hex(line, address);
    return;
  }
  urgent_text(line, "in ");
  if (object->plugin != NULL) {
    urgent_text(line, "plugin '");
    urgent_text(line, object->plugin);
    urgent_text(line, "', ");
  }
  urgent_text(line, object->file);
  urgent_text(line, "+");
  urgent_hex(line, address - object->base);
}

static const char *name_of(int number) {
  switch (number) {
  case SIGSEGV:
    return "SIGSEGV";
  case SIGBUS:
    return "SIGBUS";
  case SIGFPE:
    return "SIGFPE";
  case SIGILL:
    return "SIGILL";
  default:
    return "SIGABRT";
  }
}

void crash_say_place(struct urgent *line, const void *context) {
  struct place place = place_of(context);
  const struct object *object = find_object(place.code);
  say_place(line, place.code);
  uintptr_t caller =
      object != NULL && object->plugin != NULL ? 0 : caller_of(place.stack);
  if (caller != 0) {
    urgent_text(line, ", called ");
    say_place(line, caller);
  }
  if (crash_mine.about != NULL) {
    urgent_text(line, ", request ");
    urgent_text(line, crash_mine.about->id);
  }
}

static void say(int number, const ucontext_t *context) {
  struct urgent line = {.len = 0};
  urgent_stamp(&line);
  urgent_text(&line, " error the process crashes: ");
  urgent_text(&line, name_of(number));
  urgent_text(&line, " ");
  crash_say_place(&line, context);
  urgent_write(&line);
}

/* One thread tells, once; a second crash has nothing to add.  The signal is
 * blocked meanwhile, so that one in here ends the process at once. */
static void on_crash(int number, siginfo_t *info, void *context) {
  if (atomic_flag_test_and_set(&crash_table.began)) {
    poll(NULL, 0, OTHER_MS);
  } else {
    log_settle(SETTLE_MS);
    say(number, context);
  }
  signal(number, SIG_DFL);
  /* A fault comes again by itself, in the place where it was. */
  if (info->si_code <= 0)
    raise(number);
}

void crash_watch(void) {
  if (SANITIZED)
    return;
  crash_table.count = 0;
  dl_iterate_phdr(add_object, NULL);
  crash_thread();
  struct sigaction action = {.sa_sigaction = on_crash,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  for (size_t i = 0; i < CRASHES; i++)
    sigaction(crashes[i], &action, NULL);
}
