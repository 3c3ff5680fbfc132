/* SPDX-License-Identifier: MIT
 *
 * Two walks.  The keys begin with when a link ends, so that one page of a list
 * has those that ended first.  Revocations that a later one supersedes may be
 * on any page.
 */
#include "sweepkinds.h"

#include "date.h"
#include "linkcount.h"
#include "linkmark.h"
#include "marks.h"

#define EVERY_MS (60 * 1000)
#define PAGE 1000

/* Behind one that hasn't ended none has.  What is no such key ends never. */
static enum walk_choice linksweep_choose_use(struct walk *walk,
                                             const struct op_entry *entry) {
  (void)walk;
  return linkcount_is_over(entry->key, date_now_ms() / 1000) ? WALK_TAKES
         : linkcount_is_over(entry->key, INT64_MAX)          ? WALK_STOPS
                                                             : WALK_PASSES;
}

static enum walk_choice
linksweep_choose_revoked(struct walk *walk, const struct op_entry *entry) {
  const struct gate *gate = walk->of;
  struct marks *marks = gate->marks[walk->index];
  struct linkmark mark;
  bool over = linkmark_parse(&mark, entry->key) && marks_read_ms(marks) > 0 &&
              linkmark_is_over(&mark, date_now_ms() / 1000,
                               marks_find(marks, mark.mark), marks_top(marks));
  return over ? WALK_TAKES : WALK_PASSES;
}

static void linksweep_start(struct walk_task *task) {
  walk_remove(task, &(struct sluice_removal){.key = task->entry->key}, NULL);
}

static int64_t linksweep_pause(struct walk *walk, enum walk_rest rest) {
  (void)walk;
  return rest == WALK_PAGE_ENDS ? 0 : EVERY_MS;
}

#define LINKSWEEP                                                         \
  .failure = "what expired links have left can't be found", .page = PAGE, \
  .size = sizeof(struct walk), .task_size = sizeof(struct walk_task),     \
  .start = linksweep_start, .pause = linksweep_pause

const struct walk_kind linksweep_uses = {
    .folder = LINKCOUNT_FOLDER, .choose = linksweep_choose_use, LINKSWEEP};

const struct walk_kind linksweep_revoked = {
    .folder = LINKMARK_FOLDER, .choose = linksweep_choose_revoked, LINKSWEEP};
