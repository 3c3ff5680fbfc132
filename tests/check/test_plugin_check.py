#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sluice-plugin-check: every plugin that can run here passes it, and a plugin
that breaks one rule is found by the check that is for it, and by no other."""
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conform import CHECK, Report, passes, plugin

from kit import SLOWNESS, Mismatch, each, equal, expect, like, main, test
from bucket import backend, seconds
from s3.kit import Emulator, Rgw

DONE = "done: once, and nothing is said after it"
TURN = "turn: nothing is said out of turn"
THREAD = "thread: calls come on the loop's own thread"
BLOCK = "loop: no call blocks it"
STARTS = "life: it starts, and a loop gets a handle"
STRANGERS = "outage: nobody new is allowed, and those known are again after it"

# The rule that tests/plugins/broken.c breaks, and who has to find it.
BACKEND = {
    "any_method": "verify: a link is for its method",
    "behind": "get: nothing lies behind the end",
    "blocks": BLOCK,
    "claims_more": "can: no more than there are entries for",
    "copies_any": "can: if_match of a copy",
    "copy_loses": "can: a copy has the bytes, the type and the metadata",
    "copy_replaces": "can: an exclusive copy doesn't replace",
    "creates_twice": "can: of many exclusive commits one wins",
    "chunk_changes": "lent: a get's chunk stays until more()",
    "crash_on_empty": "put: an object of no bytes",
    "down_hangs": "outage: in the middle of a get and a put",
    "down_lies": "outage: every operation ends, and none tells a lie",
    "deaf": "cancel: at every step of a get",
    "done_twice": DONE,
    "false_commit": "cancel: of a small put, nothing is left",
    "false_remove": "cancel: of a remove",
    "folded_entry": "list: a folded name is told as a prefix",
    "forever": "verify: a link ends in time",
    "forgets_key": "remove_many: each key is gone, or told of",
    "forged_token": "list: a forged token does no harm",
    "ignores_token": "list: a token is good for another page size",
    "keeps_chunk": "lent: a put's chunk is left alone after sluice_next()",
    "keeps_file": "life: close and stop give back all that was taken",
    "keeps_text": "lent: a text is copied before the call returns",
    "leaks_file": "leaks: no descriptors",
    "leaks_memory": "leaks: no memory",
    "leaks_thread": "leaks: no threads",
    "loses_disposition": "verify: a link comes back as it went",
    "never_done": "remove: an absent object is done, too",
    "never_returns": "remove: an absent object is done, too",
    "no_case": "keys: upper and lower case",
    "no_metadata": "put: metadata comes back",
    "no_time": "meta: the time is the commit's",
    "no_type": "put: the media type comes back",
    "not_atomic": "commit: readers see the old or the new, never both",
    "not_exclusive": "commit: an exclusive one doesn't replace",
    "other_thread": THREAD,
    "open_silent": STARTS,
    "own_coding": "meta: no coding is said of what has none",
    "own_objects": "loops: one reads what the other stored",
    "pattern": "list: names with the prefix, and nothing else",
    "quoted_etag": "meta: the etag goes with the bytes",
    "removes_any": "can: remove_if removes what has the ETag",
    "replaces_any": "can: if_match of a commit",
    "raw_url": "presign: links are URLs",
    "remove_spoils":
        "remove: readers have the old object, or an end that says so",
    "remains": "remove: a removed object is gone",
    "same_etag": "meta: the etag goes with the bytes",
    "send_twice": TURN,
    "sleeps": BLOCK,
    "start_crashes": STARTS,
    "start_ends": STARTS,
    "start_refuses": STARTS,
    "start_silent": STARTS,
    "stage_any_number": "stage: one more than an owner may have",
    "stage_comes_back": "stage: a removed one is gone",
    "stage_counts_all": "stage: what wasn't saved doesn't count",
    "stage_cuts_state": "stage: a state of 1024 bytes",
    "stage_forgets": "stage: what was saved is there",
    "stage_get_takes":
        "stage_get: the durable bytes, and it opens nothing",
    "stage_keeps_chunk":
        "lent: a stage's chunk is left alone after sluice_next()",
    "stage_late_commit": "stage: who was overtaken commits nothing",
    "stage_never_ends": "stage: one that has expired is gone, and swept",
    "stage_opens_any": "stage: no other text is one",
    "stage_overtaken": "stage: who was overtaken saves nothing",
    "stage_stays_open":
        "stage: a commit makes the object, and completes it",
    "stage_stays_unheard":
        "stage: one that nobody has heard of is there once it was saved",
    "stays_down": "outage: a storage that comes back is found",
    "shows_early": "can: a put may be told its object",
    "short_keys": "keys: of up to 1024 bytes",
    "tells_wrong": "can: a commit tells what was there",
    "token_at_end": "list: truncated when there is more, and only then",
    "token_object": "list: a token outlives its object",
    "trusts_hint": "get: the read counts, not the hint",
    "unfolded": "list: a delimiter folds",
    "unordered": "list: entries in byte order",
    "verifies_all": "verify: a changed link is refused",
    "visible": "put: nothing is visible before commit",
    "word_after_done": DONE,
    "wrong_length": "head: the length",
    "wrong_range": "get: ranges"}

# The same of tests/plugins/broken_hook.c.
HOOK = {
    "allows_liars":
        "guards: nobody with nonsense for credentials is allowed",
    "allows_nobody": "guards: nobody without credentials is allowed",
    "blocks": BLOCK,
    "crashes": "verdict: also one with long headers",
    "down_allows": STRANGERS,
    "forgets": "reload: comes at any time, and admits nobody new",
    "gone_unanswered":
        "log: also of one whose client left while it waited",
    "keeps_timer": "timers: stop() leaves none",
    "late_backend": TURN,
    "leaks_file": "leaks: no descriptors",
    "leaks_memory": "leaks: no memory",
    "long_key": "verdict: of any key",
    "miscounts": "metrics: only what its table declares is counted",
    "never_resumes": "verdict: also one with many headers",
    "no_operation": "log: also of a request that was never asked about",
    "no_verdict": "verdict: also one with many headers",
    "other_thread": THREAD,
    "resumes_twice": "resume: once, after WAIT",
    "sleeps": BLOCK,
    "stays_down": STRANGERS}

# Those that break another rule by it: a thread takes memory, too.
ALSO = {"leaks_thread": "leaks: no memory",
        "no_metadata": ("put: metadata", "can: a copy has"),
        "no_type": ("put: the media type", "can: a copy has"),
        "same_etag": ("meta: the etag", "can: "),
        "stage_stays_open": ("stage: a commit makes",
                             "stage: one that nobody")}


RUNS = {} # most of a run is waiting, so that some go at once


def with_outages(folder):
    """Commands for a storage that is down while a file is there."""
    file = Path(folder, "outage")
    return ["--down", f"touch {file}", "--up", f"rm -f {file}"], \
        f"outage={file}"


def rounds(rule):
    """Many are for what leaks a little in each."""
    return [] if rule.startswith("leaks_") else ["--rounds", "10"]


def run_one(name, rule, *words, patience=2):
    with tempfile.TemporaryDirectory() as folder:
        commands, outage = with_outages(folder)
        return Report(*words, *commands, *rounds(rule), "--header",
                      "X-Token: known", plugin(name), "rule=" + rule, outage,
                      patience=patience)


def run_all():
    pool = ThreadPoolExecutor(4)
    words = sys.argv[1:]
    for name, rules in ("broken", BACKEND), ("broken_hook", HOOK):
        for rule in rules:
            if not words or any(word in f"{name}[{rule}]" or
                                "test_broken" in word for word in words):
                RUNS[name, rule] = pool.submit(run_one, name, rule)


def found(name, rule, check):
    if not RUNS:
        run_all()
    report = RUNS[name, rule].result()
    if any(line.startswith(check + ": this malloc")
           for line in report.skipped):
        return # a sanitizer's: it finds leaks itself, in any check
    named = [line for line in report.failed if line.startswith(check + ": ")]
    expect(named, f"not found: {report.text}")
    equal("also failed", [line for line in report.failed
                          if line not in named and not
                          line.startswith(ALSO.get(rule, check))], [])
    equal("status", report.status, 1)


# ---- broken ones ------------------------------------------------------------

@each({rule: (rule, check) for rule, check in BACKEND.items()})
def test_broken_backend_is_found(case):
    found("broken", *case)


@each({rule: (rule, check) for rule, check in HOOK.items()})
def test_broken_hook_is_found(case):
    found("broken_hook", *case)


@each({name: name for name in ("broken", "broken_hook")})
def test_unbroken_one_passes(name):
    with tempfile.TemporaryDirectory() as folder:
        commands, outage = with_outages(folder)
        report = passes(*commands, "--header", "X-Token: known", plugin(name),
                        outage)
    expect(any(line.startswith("outage: ") for line in report.passed),
           report.text)


# ---- how a failure is told --------------------------------------------------

CRASH = "a plugin that crashes, or calls exit(), takes the process with it"
NEVER = "A plugin takes no locks and never blocks: blocking calls go " \
    "through sluice_work() or a lane."
WHY = "Why start() or open() fails: what is wrong and what to change, one " \
    "line."


def crash(entry):
    """As the kernel tells it, or a sanitizer."""
    return (f"the process died in {entry}(): Segmentation fault",
            f"the process ended in {entry}() with status 1; its log may say "
            "why")


# The plugin, the rule that it breaks, the words to run it with, and what is
# said: the failure's end and the rule that is quoted.
TOLD = {
    "crash": ("broken", "crash_on_empty", "no bytes",
              crash("commit"), CRASH),
    "crash_of_a_hook": ("broken_hook", "crashes", "long headers",
                        crash("on_request"), CRASH),
    "crash_in_start": ("broken", "start_crashes", "ping", crash("start"),
                       CRASH),
    "exit_in_start": ("broken", "start_ends", "ping",
                      "the process ended in start() with status 3; its log "
                      "may say why", CRASH),
    "silent_start": ("broken", "start_silent", "ping",
                     "start() returned NULL without sluice_fail()", WHY),
    "silent_open": ("broken", "open_silent", "ping",
                    "open() returned NULL without sluice_fail()", WHY),
    "refusal": ("broken", "start_refuses", "ping",
                "start() fails: there is no storage; make one",
                "start(): NULL after sluice_fail() stops the gateway."),
    "no_return": ("broken", "never_returns", "absent object is done",
                  "remove() doesn't return", NEVER),
    "no_done": ("broken", "never_done", "absent object is done",
                "it isn't done, and said nothing for 1000 ms",
                "Every operation ends in exactly one sluice_done(), also "
                "when it was canceled."),
    "no_resume": ("broken_hook", "never_resumes", "many headers",
                  "it waits, and no answer came for 1000 ms",
                  "After WAIT, once, from any event of the loop."),
    "no_verdict": ("broken_hook", "no_verdict", "many headers",
                   "its verdict is 7, which is none",
                   "enum sluice_verdict: SLUICE_PASS, SLUICE_ALLOW, "
                   "SLUICE_DENY, SLUICE_WAIT"),
    # A put that fails is the put's fault, whatever is being checked.
    "a_step": ("broken", "short_keys", "1024 bytes",
               "ended with SLUICE_EINVAL instead of SLUICE_OK",
               "Nothing is visible before; when it is done, all of it is "
               "durable.")}


@each(TOLD)
def test_failure_quotes_the_rule_that_was_broken(case):
    name, rule, only, end, quoted = case
    report = run_one(name, rule, "--only", only, patience=1 / SLOWNESS)
    equal("failures", len(report.failed), 1)
    expect(report.failed[0].endswith(end), report.text)
    equal("rule", report.rules[report.failed[0]], quoted)


@each({rule: rule for rule in BACKEND if BACKEND[rule] == STARTS})
def test_one_that_does_not_start_is_told_once(rule):
    report = run_one("broken", rule)
    lines = report.run.stdout.splitlines()
    equal("last lines", lines[-2:],
          ["nothing else is checked before this is mended",
           "0 passed, 1 failed, 0 skipped"])


# ---- time -------------------------------------------------------------------

@test
def test_slow_storage_has_patience_for_each_word():
    """A put takes several times as long as it may say nothing."""
    report = run_one("broken", "slow", "--only", "any chunks", patience=1)
    equal("passed", report.passed[:1],
          ["put: any chunks make the same object"])


@test
def test_storage_that_is_only_alive_has_an_end():
    report = run_one("broken", "only_alive", "--only",
                     "absent object is done", patience=0.3)
    expect(report.failed and "remove: an absent object" in report.failed[0],
           report.text)


@test
def test_a_call_may_sleep_as_long_as_is_said():
    report = run_one("broken", "sleeps", "--block", "10s", "--only", "ping")
    equal("failed", report.failed, [])
    report = run_one("broken", "sleeps", "--block", "5ms", "--only", "ping")
    like("failed", report.failed[0], BLOCK + r": ping\(\) slept for \d+ ms")


@test
def test_hook_that_sleeps_is_told_in_seconds_and_not_by_its_leaks():
    report = run_one("broken_hook", "sleeps")
    equal("failures", [line.partition(": on_")[0] for line in report.failed],
          [BLOCK])
    expect(f'leaks: no memory: see "{BLOCK}"' in report.skipped, report.text)


# ---- outages ----------------------------------------------------------------

@test
def test_outages_need_both_commands():
    for word in "--down", "--up":
        report = Report(word, "true", plugin("skeleton"))
        equal("status", report.status, 2)
        like("message", report.run.stderr, "give both, or neither")


@test
def test_command_that_fails_is_told_with_its_status():
    report = Report("--down", "exit 7", "--up", "true", "--only", "outage",
                    plugin("skeleton"))
    for line in report.failed:
        expect(line.endswith("--down: 'exit 7' ended with status 7"), line)
    equal("failed", len(report.failed), 3)


@test
def test_storage_is_brought_up_after_a_check_that_failed():
    with tempfile.TemporaryDirectory() as folder:
        commands, outage = with_outages(folder)
        report = Report(*commands, "--only", "none tells a lie",
                        plugin("broken"), "rule=down_lies", outage)
        equal("failed", len(report.failed), 1)
        equal("left", list(Path(folder).iterdir()), [])


# ---- a debugger's process ---------------------------------------------------

@each({"passes": ("none", 0, "ok    it passes\n"),
       "fails": ("unordered", 1, "FAIL  list 'me/\\d+/': not in byte order"),
       "breaks": ("done_twice", 1,
                  "FAIL  done: sluice_done\\(\\) twice\n")})
def test_one_check_runs_without_a_process_of_its_own(case):
    rule, status, said = case
    name = "ping: is done" if rule == "done_twice" else "byte order"
    report = run_one("broken", rule, "--prefix", "me/", "--no-fork", name)
    equal("status", report.status, status)
    like("said", report.run.stdout, f"^{said}")


@test
def test_no_fork_wants_one_check():
    for words in "list", "no such check":
        report = run_one("broken", "none", "--no-fork", words)
        equal("status", report.status, 2)
        like("message", report.run.stderr, f"have '{words}' in their name")


# ---- those that are shipped -------------------------------------------------

@test
def test_skeleton_passes():
    passes(plugin("skeleton"))


@test
def test_local_passes():
    with tempfile.TemporaryDirectory() as folder:
        passes(plugin("local"), "directory=" + folder)


@test
def test_skeleton_hook_passes():
    report = passes(plugin("skeleton_hook"), "token=abc", "--header",
                    "X-Token: abc")
    expect("guards: somebody with credentials is allowed" in report.passed,
           report.text)


# The features a storage lacks, by its own documentation (sluice-s3(7)).
LACKS = {
    "aws": [],
    "minio": ["slash"],
    "r2": ["presign: disposition and type", "look alike"],
    "b2": ["of exclusive ones at once"],
    "ceph": ["of exclusive ones at once"]}


def options_of(words):
    return [f"{key}={value}" for key, value in words.items()
            if key != "plugin" and value is not None]


def passes_on(s3):
    words = backend(s3, s3.create("conformance"))
    options = options_of(words)
    # libcurl's caches grow for longer than a test may take.
    skips = [word for lack in ["no memory", *LACKS[s3.dialect]]
             for word in ("--skip", lack)]
    passes("--rounds", "10", *skips, plugin(words["plugin"]), *options,
           patience=10)


@test
def test_ceph_passes_on_a_real_rgw():
    with Rgw() as s3:
        passes_on(s3)


@each({name: name for name in LACKS})
def test_s3_family_passes_on_the_emulator(dialect):
    # One write a second is a rule of R2's for each key.
    without = ["R2.write-rate"] if dialect == "r2" else []
    with Emulator(dialect, without=without) as s3:
        passes_on(s3)


@test
def test_s3_survives_a_storage_that_is_silent_for_a_while():
    with Emulator() as s3:
        words = backend(s3, s3.create("outages"), retry_time=seconds(1))
        pid = s3.process.pid
        # A stop takes effect in each thread for itself.
        down = f"kill -STOP {pid}; while cat /proc/{pid}/task/*/status | " \
            "grep -q '^State:.[^T]'; do sleep 0.01; done"
        report = Report("--down", down, "--up", f"kill -CONT {pid}",
                        "--only", "outage",
                        plugin(words["plugin"]), *options_of(words),
                        patience=10)
        equal("passed", (len(report.passed[:3]), report.failed), (3, []))


# ---- the program ------------------------------------------------------------

@each({name: name for name in ("othermajor", "newerminor", "missingentry",
                               "missingsymbol", "othername", "nosymbol")})
def test_what_the_gateway_refuses_is_refused(name):
    report = Report(plugin(name))
    equal("status", report.status, 2)
    like("message", report.run.stderr, f"sluice-plugin-check: .*{name}")


@test
def test_symbol_of_neither_kind_is_told_with_both():
    path = Path(plugin("nosymbol"))
    report = Report("./nosymbol.so", folder=path.parent)
    equal("message", report.run.stderr.strip(),
          "sluice-plugin-check: plugin 'nosymbol': ./nosymbol.so exports "
          "neither sluice_backend_nosymbol nor sluice_hook_nosymbol; "
          "register it with SLUICE_BACKEND(nosymbol, ...) or "
          "SLUICE_HOOK(nosymbol, ...)")


@test
def test_file_that_is_not_there_is_told_by_its_path():
    report = Report("./none.so")
    equal("message", report.run.stderr.strip(),
          "sluice-plugin-check: ./none.so: No such file or directory")


@test
def test_wrong_options_are_refused():
    for words in ([plugin("local")], [plugin("local"), "directry=/tmp"],
                  [plugin("local"), "directory"], ["/tmp/none.so"], [],
                  ["--no-such-option"], ["--patience", "soon", "x.so"],
                  ["--block", "0", "x.so"], ["--block", "5", "x.so"],
                  ["--large", "1", "x.so"], ["--rounds", "0", "x.so"],
                  ["--header", "no colon", "x.so"], ["README.md"]):
        report = Report(*words)
        equal(f"status of {words}", report.status, 2)
        expect(report.run.stderr, words)


@test
def test_options_come_from_a_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "options.yaml")
        path.write_text(f"directory: {folder}/objects\nsync: false\n",
                        encoding="utf-8")
        report = Report("-o", str(path), "--only", "ping", plugin("local"))
        equal("status", (report.status, report.text if report.status else ""),
              (0, ""))
        expect("ping: is done" in report.passed, report.text)


@test
def test_nothing_is_left_in_the_storage():
    with tempfile.TemporaryDirectory() as folder:
        passes(plugin("local"), "directory=" + folder, "sync=false")
        left = [path for path in Path(folder, "blobs").rglob("*")
                if path.is_file()]
        equal("blobs", left, [])


@test
def test_one_loop_is_said_of_those_alone_that_refuse_a_second():
    report = Report("--one-loop", "--only", "loop", plugin("skeleton"))
    equal("failed", report.failed,
          ["life: a second loop is refused where one is all: "
           "a second loop gets a handle, too"])
    equal("skipped", report.skipped,
          ["loops: two at once, in two threads: by --one-loop",
           "loops: one reads what the other stored: by --one-loop"])


@test
def test_one_check_can_be_run_alone():
    names = Report("--list", plugin("skeleton")).run.stdout.splitlines()
    expect(len(names) > 60, names)
    report = Report("--only", "byte order", plugin("skeleton"))
    equal("passed", report.passed[:1], ["list: entries in byte order"])


if __name__ == "__main__":
    if not os.access(CHECK, os.X_OK):
        raise Mismatch(f"{CHECK} isn't there")
    main()
