#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Helpers can do nothing but look; one that ends, or stands still, fails what
it looked at and is followed by another one; and none is left behind."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
from kit import (BINARY, PATIENCE, SLOWNESS, Gateway, each, equal, eventually,
                 expect, head, main, needs, settings, test,
                 written)  # noqa: E402
from sniffkit import (HTML, PDF, PLUGINS, PNG, compiled, helpers, is_there,
                      launcher, put, sanitized, sniffing,
                      state)  # noqa: E402
from ways import stored  # noqa: E402

IN_USE = r"configuration \d+ is in use for new requests"
FAILED = "It can't be seen now of which type the file is; try again"


def one(sections=None, **options):
    return sniffing(sections, **{"allow": ["image/*"], "processes": "1",
                                 "timeout": f"{int(1500 * SLOWNESS)}ms",
                                 **options})


def refused(answer):
    equal("answer", (answer.status, answer.error), (503, FAILED))


def meanwhile(gateway, pid, act):
    """The answer to an upload whose helper is held until act() was done."""
    answers = []
    os.kill(pid, signal.SIGSTOP)
    asking = threading.Thread(target=lambda: answers.append(
        put(gateway, PNG)))
    asking.start()
    eventually("bytes wait for the helper", lambda: has_bytes(gateway))
    act(pid)
    asking.join()
    return answers[0]


# Those by which a C library makes poll(), of which newer processors have one.
POLLS = {"x86_64": ("7", "271"), "aarch64": ("73",), "riscv64": ("73",),
         "armv7l": ("168", "336"), "i686": ("168", "309")}


def has_bytes(gateway):
    """A lane waits in poll(), and nothing else does with one descriptor."""
    polls = POLLS.get(os.uname().machine)
    needs(polls, "the numbers of this processor's system calls")
    return any(line.split()[0] in polls for line in waiting(gateway))


def waiting(gateway):
    for task in Path(f"/proc/{gateway.pid}/task").iterdir():
        try:
            text = (task / "syscall").read_text()
        except OSError:
            continue
        if text[0].isdigit():
            yield text


# ---- what they can't --------------------------------------------------------

@test
def test_helper_is_confined_and_nobody():
    needs(not sanitized(), "a build without sanitizers")
    with one() as gateway:
        equal("png", put(gateway, PNG).status, 201)
        pids = helpers(gateway)
        equal("helpers", len(pids), 1)
        told = state(pids[0])
        for key, want in (("Seccomp", "2"), ("NoNewPrivs", "1"),
                          ("CapEff", "0" * 16), ("CapPrm", "0" * 16),
                          ("CapInh", "0" * 16), ("CapAmb", "0" * 16)):
            equal(key, told[key], want)
        if os.geteuid() == 0:
            equal("user", told["Uid"].split(), ["65534"] * 4)
            equal("group", told["Gid"].split(), ["65534"] * 4)
            equal("groups", told["Groups"], "")
            limits = Path(f"/proc/{pids[0]}/limits").read_text()
            for name, most in (("Max address space", str(256 << 20)),
                               ("Max open files", "0"),
                               ("Max file size", "0"),
                               ("Max core file size", "0"),
                               ("Max processes", "0")):
                line = next(line for line in limits.splitlines()
                            if line.startswith(name))
                equal(name, line[len(name):].split()[:2], [most, most])
            equal("descriptors", sorted(os.listdir(f"/proc/{pids[0]}/fd")),
                  ["0", "1", "2", "3"])
            equal("environment", Path(f"/proc/{pids[0]}/environ").read_bytes(),
                  b"TZ=UTC0\0LC_ALL=C\0")


@test
def test_gateway_with_helpers_is_confined_as_any():
    needs(not sanitized(), "a build without sanitizers")
    with one({"server": {"workers": "1", "confine": "required"}}) as gateway:
        gateway.says(r"confined by: landlock \d+, seccomp")
        equal("png", put(gateway, PNG).status, 201)
        equal("pdf", put(gateway, PDF).status, 415)


def without_rights():
    """Nobody, to whom the kernel answers EPERM where a unit with systemd's
    SystemCallFilter=~@privileged would."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32,
                                         ctypes.c_int, ctypes.c_uint]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    rules = library.seccomp_init(0x7fff0000)
    for name in b"capset", b"setuid", b"setresuid", b"setgroups":
        number = library.seccomp_syscall_resolve_name(name)
        library.seccomp_rule_add(rules, 0x00050001, number, 0)
    if library.seccomp_load(rules):
        os._exit(99)


@test
def test_unit_that_lets_no_rights_be_changed_can_start_it():
    needs(os.geteuid() == 0 and not sanitized(),
          "root, and a build without sanitizers")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        for name in "sniff.so", "local.so", "sluice-sniff":
            shutil.copy(next(path for place in PLUGINS if
                             (path := Path(place, name)).exists()), folder)
        shutil.copy(BINARY, f"{folder}/sluice")
        conf = written(folder, {
            **settings(folder), "plugin_path": [folder],
            "hooks": [{"plugin": "sniff", "allow": ["image/*"]}]}, "s.yaml")
        os.chmod(conf, 0o644)
        # pylint: disable=subprocess-popen-preexec-fn
        said = subprocess.run(
            [f"{folder}/sluice", "-t", "-c", conf], capture_output=True,
            text=True, timeout=60, check=False, preexec_fn=without_rights)
        equal("status", (said.returncode, said.stderr), (0, said.stderr))


# ---- ends -------------------------------------------------------------------

@test
def test_helper_that_is_killed_fails_what_it_looked_at():
    with one() as gateway:
        for round_ in range(2):
            [pid] = helpers(gateway)
            refused(meanwhile(gateway, pid,
                              lambda pid: os.kill(pid, signal.SIGKILL)))
            equal(f"objects {round_}", len(stored(gateway)), round_ and 1)
            gateway.says("the helper that looked at it has ended: the object "
                         "is refused")
            equal("next", put(gateway, PNG).status, 200 if round_ else 201)
            expect(pid not in helpers(gateway), "it is another one")


@test
def test_helper_that_is_killed_at_rest_fails_nothing():
    with one() as gateway:
        [pid] = helpers(gateway)
        os.kill(pid, signal.SIGKILL)
        eventually("it is gone", lambda: not is_there(pid))
        equal("png", put(gateway, PNG).status, 201)
        gateway.says("a helper has ended by itself, or was ended")
        gateway.says("another helper was started")


@test
def test_helper_that_stands_still_takes_timeout_and_is_ended():
    with one(timeout="500ms") as gateway:
        [pid] = helpers(gateway)
        os.kill(pid, signal.SIGSTOP)
        refused(put(gateway, PNG))
        gateway.says("the helper took longer than timeout: the object is")
        eventually("it is ended", lambda: not is_there(pid))
        equal("next", put(gateway, PNG).status, 201)


@test
def test_where_failures_pass_the_log_tells():
    with one(timeout="500ms", on_failure="pass") as gateway:
        os.kill(helpers(gateway)[0], signal.SIGSTOP)
        equal("status", put(gateway, PDF).status, 201)
        gateway.says(r"the object is stored unseen \(on_failure: pass\)")


@test
def test_helpers_that_fail_again_and_again_are_waited_with():
    """The third failure in a row is followed by a pause of three seconds."""
    with one(timeout="300ms") as gateway:
        [pid], above = helpers(gateway), launcher(gateway)
        os.kill(pid, signal.SIGKILL)
        eventually("it is gone", lambda: not is_there(pid))
        os.kill(above, signal.SIGSTOP)
        for _ in range(3):
            refused(put(gateway, PNG))
        refused(put(gateway, PNG))
        gateway.says("helpers have failed 3 times in a row; another one is "
                     "started in a while")
        os.kill(above, signal.SIGCONT)
        eventually("it goes on", lambda: put(gateway, PNG).status == 201)


@test
def test_helper_that_stands_still_holds_up_one_of_two():
    with one(processes="2") as gateway:
        [pid] = helpers(gateway)
        os.kill(pid, signal.SIGSTOP)
        slow = threading.Thread(target=put, args=(gateway, PNG))
        slow.start()
        eventually("it waits", lambda: has_bytes(gateway))
        for number in range(8):
            equal("png", put(gateway, PNG, key=f"t/{number}").status, 201)
        slow.join()
        equal("helpers", len(stored(gateway)), 8)


def each_of(gateway, count):
    """Uploads that are under way at once: their threads and answers."""
    answers = [None] * count

    def ask(number):
        answers[number] = put(gateway, PNG, key=f"t/{number}").status

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


@test
def test_file_that_is_slow_holds_up_nobody_where_another_helper_is_free():
    """They come together, and are answered while it is still looked at."""
    with one(processes="2", timeout="60s") as gateway:
        [pid] = helpers(gateway)
        os.kill(pid, signal.SIGSTOP)
        held = []
        slow = threading.Thread(target=lambda: held.append(
            put(gateway, PNG, key="t/slow").status))
        slow.start()
        eventually("it waits", lambda: has_bytes(gateway))
        threads, answers = each_of(gateway, 12)
        for thread in threads:
            thread.join(PATIENCE)
        equal("answers", (answers, held), ([201] * 12, []))
        os.kill(pid, signal.SIGCONT)
        slow.join()
        equal("its own", held, [201])


@test
def test_file_that_takes_too_long_costs_itself_alone():
    """Behind it all others wait, for there is no other helper."""
    with one() as gateway:
        [pid] = helpers(gateway)
        held = []
        os.kill(pid, signal.SIGSTOP)
        slow = threading.Thread(target=lambda: held.append(
            put(gateway, PNG, key="t/slow").status))
        slow.start()
        eventually("it waits", lambda: has_bytes(gateway))
        threads, answers = each_of(gateway, 12)
        for thread in [slow, *threads]:
            thread.join()
        equal("answers", (held, answers), ([503], [201] * 12))
        expect(not is_there(pid), "its helper has ended")


@test
def test_helper_that_nobody_has_any_more_is_ended_whenever_that_is_seen():
    """The process that ends it stands still meanwhile, and is told nothing."""
    with one(timeout="300ms") as gateway:
        [pid], above = helpers(gateway), launcher(gateway)
        for process in pid, above:
            os.kill(process, signal.SIGSTOP)
        refused(put(gateway, PNG))
        os.kill(above, signal.SIGCONT)
        eventually("it is ended", lambda: not is_there(pid))
        eventually("next", lambda: put(gateway, PNG).status == 201)
        equal("helpers", len(helpers(gateway)), 1)


@test
def test_files_that_end_helpers_are_no_pause():
    """Each fails, and what comes behind it is looked at all the same."""
    with one() as gateway:
        for _ in range(5):
            [pid] = helpers(gateway)
            refused(meanwhile(gateway, pid,
                              lambda pid: os.kill(pid, signal.SIGKILL)))
            equal("png", put(gateway, PNG, key="t/next").status // 100, 2)


@test
def test_full_queue_refuses_at_once():
    with one(queue="1", timeout="60s") as gateway:
        [pid] = helpers(gateway)
        os.kill(pid, signal.SIGSTOP)
        first = threading.Thread(target=put, args=(gateway, PNG))
        first.start()
        eventually("one waits", lambda: has_bytes(gateway))
        refused(put(gateway, PNG, key="t/second"))
        gateway.says("as many objects as may wait do")
        os.kill(pid, signal.SIGCONT)
        first.join()
        equal("objects", stored(gateway), ["t/a.bin"])


@test
def test_client_that_leaves_leaves_nothing():
    """Its request is over, as the access log tells, before the helper is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        with one(more=[{"plugin": "log_json", "path": str(path)}],
                 timeout="60s") as gateway:
            [pid] = helpers(gateway)
            os.kill(pid, signal.SIGSTOP)
            with gateway.wire() as wire:
                wire.send(head("PUT", "/files/object?key=t/x",
                               "Content-Length: 9000000") + PNG * 99)
                eventually("it waits", lambda: has_bytes(gateway))
                wire.reset()
            eventually("it is over", lambda: path.exists() and
                       "t/x" in path.read_text())
            os.kill(pid, signal.SIGCONT)
            equal("next", put(gateway, PNG).status, 201)
            equal("objects", stored(gateway), ["t/a.bin"])


@test
def test_launcher_that_is_killed_comes_back_where_it_can():
    with one({"server": {"workers": "1", "confine": "off"}}) as gateway:
        before, [pid] = launcher(gateway), helpers(gateway)
        os.kill(before, signal.SIGKILL)
        eventually("its helper ends with it", lambda: not is_there(pid))
        equal("next", put(gateway, PNG).status, 201)
        expect(launcher(gateway) != before, "it is another one")


@test
def test_confined_gateway_without_launcher_refuses_and_says_what_to_do():
    needs(not sanitized(), "a build without sanitizers")
    with one({"server": {"workers": "1", "confine": "required"}}) as gateway:
        [pid] = helpers(gateway)
        os.kill(launcher(gateway), signal.SIGKILL)
        eventually("its helper ends with it", lambda: not is_there(pid))
        refused(put(gateway, PNG))
        gateway.says("no process can be started: .*restart it, or have "
                     "`sluice ctl upgrade` start another one")


# ---- reload and stop --------------------------------------------------------

@test
def test_reload_under_load_loses_nothing():
    with one({"server": {"workers": "2", "confine": "on"}}) as gateway:
        answers, going = [], threading.Event()

        def load(number):
            while not going.is_set():
                answers.append((put(gateway, PNG, key=f"t/{number}").status,
                                put(gateway, PDF, key=f"p/{number}").status))

        threads = [threading.Thread(target=load, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for number in range(4):
            reload(gateway, {"allow": ["image/*", f"text/x-{number}"],
                             "processes": "1"})
        going.set()
        for thread in threads:
            thread.join()
        equal("answers", set(answers) - {(201, 415), (200, 415)}, set())
        expect(len(answers) > 4, "there was load")


def reload(gateway, options, pattern=IN_USE, server=None):
    written(gateway.folder, settings(gateway.folder, {
        "server": {"workers": "2", **(server or {})},
        "hooks": [{"plugin": "sniff", **options}]}))
    after = len(gateway.lines)
    gateway.signal(signal.SIGHUP)
    gateway.says(pattern, after=after)


@test
def test_reload_changes_what_is_allowed_and_ends_old_helpers():
    with one() as gateway:
        before = launcher(gateway)
        old = helpers(gateway)
        reload(gateway, {"allow": ["application/pdf"]})
        eventually("pdf", lambda: put(gateway, PDF).status in (200, 201))
        eventually("old helpers", lambda: not any(map(is_there, old)))
        equal("png", put(gateway, PNG).status, 415)
        equal("launcher", launcher(gateway), before)


@test
def test_reload_can_not_bring_the_hook_to_a_gateway_that_is_confined():
    needs(not sanitized(), "a build without sanitizers")
    with Gateway({"server": {"workers": "2", "confine": "on"}}) as gateway:
        reload(gateway, {"allow": ["image/*"]},
               "no process can be started: .*nothing was changed")
        equal("pdf", put(gateway, PDF).status, 201)


@test
def test_reload_may_name_another_database():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "own").write_text("0\tstring\tSLIT\tits mark\n"
                                       "!:mime\tapplication/x-slit\n")
        own = compiled(folder)
        with one({"server": {"workers": "2", "confine": {
                "mode": "on", "read": [folder]}}}) as gateway:
            equal("before", put(gateway, b"SLIT" * 9).status, 415)
            reload(gateway, {"allow": ["application/x-slit"],
                             "database": own},
                   server={"confine": {"mode": "on", "read": [folder]}})
            eventually("after", lambda: put(
                gateway, b"SLIT" * 9).status == 201)


@each({"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL})
def test_end_of_the_gateway_leaves_no_process(number):
    gateway = one().__enter__()
    pids = [launcher(gateway), *helpers(gateway)]
    expect(len(pids) > 1, "they are there")
    try:
        gateway.process.send_signal(number)
        gateway.process.wait(30 * SLOWNESS)
        eventually("all have ended", lambda: not any(map(is_there, pids)))
    finally:
        gateway.process.returncode = 0
        gateway.__exit__(None, None, None)


@test
def test_signals_of_a_terminal_end_no_helper():
    with one() as gateway:
        pids = [launcher(gateway), *helpers(gateway)]
        for pid in pids:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
        equal("html", put(gateway, HTML).status, 415)
        equal("the same", [launcher(gateway), *helpers(gateway)], pids)


if __name__ == "__main__":
    main()
