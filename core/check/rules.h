/* SPDX-License-Identifier: MIT
 *
 * The words of <sluice/plugin.h> and sluice-plugin(3) that a failure quotes
 * where they aren't those of the check: what goes wrong in any check has a
 * rule of its own.
 */
#ifndef CHECK_RULES_H
#define CHECK_RULES_H

#define RULE_START "start(): NULL after sluice_fail() stops the gateway."
#define RULE_OPEN                                                      \
  "open(): once per loop, on its thread; NULL after sluice_fail(), as" \
  " from start()"
#define RULE_FLOORS "--over: what a layer stands on has to work"
#define RULE_FAIL \
  "Why start() or open() fails: what is wrong and what to change, one line."
#define RULE_CRASH \
  "a plugin that crashes, or calls exit(), takes the process with it"
#define RULE_GIVE_BACK                                                  \
  "close: no operation is in flight any more; stop: once, after every " \
  "close()"
#define RULE_MEMORY                                                   \
  "Given back when it is freed, all of it before close() or start() " \
  "returns."
#define RULE_TIMERS                                                          \
  "it isn't called any more: at the latest in stop(), or in a start() that " \
  "fails"
#define RULE_METRICS \
  "What the table doesn't declare so isn't counted, and breaks the contract."
#define RULE_BLOCK                                                       \
  "A plugin takes no locks and never blocks: blocking calls go through " \
  "sluice_work() or a lane."
#define RULE_DONE                                                        \
  "Every operation ends in exactly one sluice_done(), also when it was " \
  "canceled."
#define RULE_RESUME "After WAIT, once, from any event of the loop."
#define RULE_CHUNK "No chunk is empty, the last one has `last` set."
#define RULE_FILE                                                         \
  "Bytes: in memory when fd is -1, else in a file that can be read with " \
  "pread(2) or sendfile(2)"
#define RULE_LENGTH \
  "Another length than sluice_meta() told breaks the answer off."
#define RULE_MORE                                                            \
  "sluice_send() and wait for more(), again and again; after the more() of " \
  "the last chunk: done."
#define RULE_LENT \
  "The chunk's bytes stay as they are until more() or cancel()."
#define RULE_COMMIT \
  "Nothing is visible before; when it is done, all of it is durable."
#define RULE_PUT                                                  \
  "sluice_next() asks for the first chunk; data() lends one and " \
  "sluice_next() returns it"
#define RULE_PRESIGN "presign(): sluice_text() with the URL; done"
#define RULE_VERIFY                                                         \
  "verify(): sluice_text() with the key, then disposition and type; done; " \
  "SLUICE_EDENIED when anything is wrong."
#define RULE_COMMIT_FIRST \
  "What makes an object ends with SLUICE_OK only after commit."
#define RULE_META "head(), get(): sluice_meta(), or SLUICE_ENOENT"
#define RULE_REMOVE "done, also when no such object is there"
#define RULE_LIST \
  "the keys in byte order and so are the prefixes, in any mixture"
#define RULE_VERDICT \
  "enum sluice_verdict: SLUICE_PASS, SLUICE_ALLOW, SLUICE_DENY, SLUICE_WAIT"
#define RULE_REFUSE "Before DENY: which status, and what the client is told."

#endif
