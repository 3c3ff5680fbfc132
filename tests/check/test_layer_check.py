#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sluice-plugin-check --over: every check through a layer, through two of
them, and layers that break one rule are found by a check that is for it."""
import atexit
import shutil
import tempfile
from pathlib import Path

from conform import Report, plugin

from kit import each, equal, expect, like, main, test

TURN = "turn: nothing is said out of turn"
# The rule that tests/plugins/broken_layer.c breaks, and who has to find it.
BROKEN = {
    "copies_any": "can: if_match of a copy",
    "deaf": "cancel: at every step of a get",
    "ends_early": TURN,
    "ignores_token": "list: every page size gives the same",
    "loses_metadata": "put: metadata comes back",
    "loses_status": "head: an absent object is SLUICE_ENOENT",
    "more_twice": TURN,
    "never_done": "remove: an absent object is done, too",
    "not_exclusive": "commit: an exclusive one doesn't replace",
    "removes_any": "can: remove_if removes what has the ETag",
    "replaces_any": "can: if_match of a commit",
    "returns_chunk": TURN,
    "shares_state": TURN,
    "steps_out_of_turn": TURN,
    "undeclared": TURN,
    "unfolded": "list: a delimiter folds",
    "wrong_length": TURN,
    "wrong_range": "get: ranges"}
SHOWN = "commit: readers see"  # in it every TURN shows


def directory():
    folder = tempfile.mkdtemp(prefix="sluice-layers-")
    atexit.register(shutil.rmtree, folder, True)
    return f"directory={folder}/data"


def over(*layers):
    """--over for each, and local below them all."""
    local = f"{plugin('local')} {directory()}"
    return [word for below in (*layers, local) for word in ("--over", below)]


@each({rule: rule for rule in BROKEN})
def test_broken_layer_is_found_by_a_check(rule):
    """Whether a word is out of turn hangs on how fast the storage is."""
    check = BROKEN[rule]
    for _ in range(3):
        report = Report(*over(), "--only",
                        SHOWN if check == TURN else check,
                        plugin("broken_layer"), f"rule={rule}")
        if report.failed:
            break
    expect(any(line.startswith(check) for line in report.failed),
           report.text)
    equal("status", report.status, 1)


def passed(*words):
    report = Report(*words)
    equal("failed", report.failed, [])
    equal("status", report.status, 0)
    return report


@test
def test_layer_that_breaks_nothing_passes():
    report = passed(*over(), plugin("broken_layer"))
    expect(len(report.passed) > 80, report.text)


@test
def test_every_check_goes_through_two_layers():
    through = plugin("through")
    direct = passed(plugin("local"), directory())
    report = passed(*over(through), through)
    equal("checks that pass", len(report.passed), len(direct.passed) - 2)
    equal("checks that are skipped", len(report.skipped),
          len(direct.skipped) + 2)
    skipped = [one for one in report.skipped
               if "its bytes back" in str(one) or
               "it has no can()" in str(one)]
    equal("those of who stores by itself, and says nothing of it",
          len(skipped), 2)


def keys():
    path = Path(tempfile.mkdtemp(prefix="sluice-layers-"), "key")
    atexit.register(shutil.rmtree, path.parent, True)
    path.write_text("0123456789abcdef" * 4)
    path.chmod(0o600)
    return f"key_file={path}"


@test
def test_encrypt_passes():
    report = passed(*over(), plugin("encrypt"), keys())
    expect(len(report.passed) > 80, report.text)


@test
def test_compress_passes():
    report = passed(*over(), plugin("compress"), "frame_size=4KiB")
    expect(len(report.passed) > 80, report.text)


@test
def test_compress_over_encrypt_passes():
    report = passed("--over", f"{plugin('encrypt')} {keys()}", *over(),
                    plugin("compress"))
    expect(len(report.passed) > 80, report.text)


@test
def test_chaos_that_only_delays_passes():
    report = passed(*over(), plugin("chaos"), "delay=3ms", "slow=1ms")
    expect(len(report.passed) > 85, report.text)


@test
def test_fallback_passes():
    report = passed(*over(), plugin("fallback"))
    expect(len(report.passed) > 60, report.text)


@test
def test_cache_passes():
    report = passed(*over(), plugin("cache"), directory(), "ttl=1h")
    expect(len(report.passed) > 85, report.text)


@test
def test_mirror_of_one_passes():
    report = passed(*over(), plugin("mirror"), directory())
    expect(len(report.passed) > 90, report.text)


@test
def test_throttle_passes():
    report = passed(*over(), plugin("throttle"), "concurrent=100",
                    "rate=100000")
    expect(len(report.passed) > 85, report.text)


@test
def test_prefix_passes_but_for_keys_without_room():
    report = passed(*over(), "--skip", "keys: of up to 1024 bytes",
                    plugin("prefix"), "prefix=a/b/")
    expect(len(report.passed) > 85, report.text)


@test
def test_prefix_over_encrypt_passes():
    report = passed("--over", f"{plugin('encrypt')} {keys()}", *over(),
                    "--skip", "keys: of up to 1024 bytes",
                    plugin("prefix"), "prefix=a/b/")
    expect(len(report.passed) > 80, report.text)


@test
def test_violations_below_are_the_storage_s():
    """The rule is broken by the storage, and the layer passes it on."""
    report = Report("--over", f"{plugin('broken')} rule=no_metadata",
                    "--only", "put: metadata", plugin("through"))
    expect(any("put: metadata comes back" in line for line in report.failed),
           report.text)


REFUSED = {
    "layer_without_over": (["through"], "'through' is a layer: give the "
                           "plugin that it stands on by --over"),
    "over_without_layer": (["--over", "local directory=/nowhere", "local",
                            "directory=/nowhere"],
                           "'local' is no layer, and stands on nothing"),
    "storage_over_storage": (["--over", "local directory=/nowhere", "--over",
                              "local directory=/nowhere", "through"],
                             "'local' is no layer, and stands on nothing"),
    "hook": (["--over", "log_json", "through"],
             "'log_json' is a hook; name a backend"),
    "nothing": (["--over", "", "through"], "--over: write the path"),
    "bad_option": (["--over", "local directory=/nowhere no=1", "through"],
                   "unknown key 'no' in local")}


@each(REFUSED)
def test_what_can_t_stand_is_refused(case):
    words, why = case
    names = ("through", "local", "log_json")
    words = [word.replace(name, plugin(name), 1) if
             (name := word.split(" ")[0]) in names else word
             for word in words]
    report = Report(*words)
    like("words", report.text, why.replace("(", r"\("))
    equal("status", report.status, 2)


if __name__ == "__main__":
    main()
