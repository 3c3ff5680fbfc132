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

from kit import Mismatch, each, equal, expect, like, main, test
from bucket import backend
from s3.kit import Emulator, Rgw

DONE = "done: once, and nothing is said after it"
TURN = "turn: nothing is said out of turn"
THREAD = "thread: calls come on the loop's own thread"
BLOCK = "loop: no call blocks it"

# The rule that tests/plugins/broken.c breaks, and who has to find it.
BACKEND = {
    "any_method": "verify: a link is for its method",
    "behind": "get: nothing lies behind the end",
    "blocks": BLOCK,
    "chunk_changes": "lent: a get's chunk stays until more()",
    "crash_on_empty": "put: an object of no bytes",
    "deaf": "cancel: at every step of a get",
    "done_twice": DONE,
    "false_commit": "cancel: of a small put, nothing is left",
    "false_remove": "cancel: of a remove",
    "folded_entry": "list: a folded name is told as a prefix",
    "forever": "verify: a link ends in time",
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
    "own_coding": "meta: no coding is said of what has none",
    "own_objects": "loops: one reads what the other stored",
    "pattern": "list: names with the prefix, and nothing else",
    "quoted_etag": "meta: the etag goes with the bytes",
    "raw_url": "presign: links are URLs",
    "remains": "remove: a removed object is gone",
    "same_etag": "meta: the etag goes with the bytes",
    "send_twice": TURN,
    "short_keys": "keys: of up to 1024 bytes",
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
    "forgets": "reload: comes at any time, and admits nobody new",
    "gone_unanswered":
        "log: also of one whose client left while it waited",
    "leaks_file": "leaks: no descriptors",
    "leaks_memory": "leaks: no memory",
    "long_key": "verdict: of any key",
    "never_resumes": "verdict: also one with many headers",
    "no_operation": "log: also of a request that was never asked about",
    "no_verdict": "verdict: also one with many headers",
    "other_thread": THREAD,
    "resumes_twice": "resume: once, after WAIT"}

# Two that can't be told apart: a thread takes memory, too.
ALSO = {"leaks_thread": "leaks: no memory"}


RUNS = {} # most of a run is waiting, so that some go at once


def run_all():
    pool = ThreadPoolExecutor(4)
    words = sys.argv[1:]
    for name, rules in ("broken", BACKEND), ("broken_hook", HOOK):
        for rule in rules:
            if not words or any(word in f"{name}[{rule}]" or
                                "test_broken" in word for word in words):
                RUNS[name, rule] = pool.submit(
                    Report, plugin(name), "rule=" + rule, "--header",
                    "X-Token: known")


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


@test
def test_unbroken_ones_pass():
    passes(plugin("broken"))
    passes(plugin("broken_hook"), "--header", "X-Token: known")


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


def passes_on(s3):
    words = backend(s3, s3.create("conformance"))
    options = [f"{key}={value}" for key, value in words.items()
               if key != "plugin" and value is not None]
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


# ---- the program ------------------------------------------------------------

@each({name: name for name in ("othermajor", "newerminor", "missingentry",
                               "missingsymbol", "othername", "nosymbol")})
def test_what_the_gateway_refuses_is_refused(name):
    report = Report(plugin(name))
    equal("status", report.status, 2)
    like("message", report.run.stderr, f"sluice-plugin-check: .*{name}")


@test
def test_wrong_options_are_refused():
    for words in ([plugin("local")], [plugin("local"), "directry=/tmp"],
                  [plugin("local"), "directory"], ["/tmp/none.so"], [],
                  ["--no-such-option"], ["--patience", "soon", "x.so"],
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
