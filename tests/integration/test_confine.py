#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A confined gateway: what a hook of its own tries beside that for which the
gateway was configured is refused, and all that it is for goes on."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kit import (BINARY, Gateway, Mismatch, among, each, equal, eventually,
                 expect, free_port, like, main, needs, run, settings, test,
                 written)

LEAVER = {"plugin": "leaver"}
REFUSED = ("EPERM", "EACCES")


def able():
    """Can this kernel, and this build?"""
    with Gateway() as gateway:
        return any(re.search(r"confined by: landlock ([6-9]|\d\d), seccomp$",
                             line) for line in gateway.lines)


def confined(sections=None, **more):
    """A gateway with the hook, at a port that it was told."""
    server = {"listen": [f"127.0.0.1:{free_port()}"], "confine": "required"}
    return Gateway({"server": {**server, **((sections or {}).get("server")
                                            or {})},
                    "hooks": [LEAVER],
                    **{key: value for key, value in (sections or {}).items()
                       if key != "server"}}, **more)


def left(gateway, what, to=""):
    return gateway.ask("GET", "/files?prefix=t/", f"X-Leave: {what}",
                       f"X-Leave-To: {to}").header("x-left")


def works(gateway):
    """All that it is for."""
    key = gateway.upload(b"confined")["key"]
    answer = gateway.ask("GET", f"/files/download?key={key}")
    equal("its bytes", answer.body, b"confined")
    among("its end", gateway.ask("DELETE", f"/files/object?key={key}").status,
          (200, 204))


@test
def test_gateway_says_by_what_it_is_confined_and_each_thread_is():
    with confined() as gateway:
        gateway.says(r"confined by: landlock \d+, seccomp$")
        for task in Path(f"/proc/{gateway.pid}/task").iterdir():
            status = (task / "status").read_text()
            like(f"thread {task.name}", status, r"NoNewPrivs:\s1\n")
            like(f"thread {task.name}", status, r"Seccomp:\s2\n")


@test
def test_files_outside_can_not_be_read_written_made_or_moved():
    with tempfile.TemporaryDirectory(dir="/var") as outside, \
            confined() as gateway:
        kept = Path(outside, "kept")
        kept.write_text("kept")
        for what, to in (
                ("read", "/etc/shadow"), ("read", kept), ("list", outside),
                ("write", kept), ("truncate", kept), ("unlink", kept),
                ("make", Path(outside, "new")), ("mkdir", Path(outside, "d")),
                ("symlink", Path(outside, "l")),
                ("chmod", kept), ("chmodat", kept), ("chown", kept),
                ("touch", kept), ("xattr", kept),
                ("make", Path(gateway.folder.parent, "sluice-test-left")),
                ("move", f"{kept} {gateway.folder}/data/kept"),
                ("move", f"{gateway.path} {outside}/moved")):
            among(f"{what} {to}", left(gateway, what, to),
                  (*REFUSED, "EXDEV"))
        equal("what is there", [(path.name, path.read_text())
                                for path in Path(outside).iterdir()],
              [("kept", "kept")])
        works(gateway)


@test
def test_the_configuration_is_read_and_not_written():
    with confined({"uploads": {"spool_directory": "/var/tmp"}}) as gateway:
        equal("read", left(gateway, "read", gateway.path), "done")
        for what, to in (("write", gateway.path), ("unlink", gateway.path),
                         ("make", Path(gateway.folder, "new")),
                         ("make", Path(gateway.folder, "data2"))):
            among(f"{what} {to}", left(gateway, what, to), REFUSED)
        works(gateway)


@test
def test_configuration_that_can_be_written_is_warned_of():
    with tempfile.TemporaryDirectory() as spool:
        for spools, warned in (("", True), (spool, False)):
            with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
                uploads = {"spool_directory": spools or folder}
                with confined({"uploads": uploads},
                              folder=folder) as gateway:
                    equal("warned", any(
                        re.search(r"sluice\.yaml is below a folder that the "
                                  "gateway writes", line)
                        for line in gateway.lines), warned)


@test
def test_a_store_is_written_as_far_as_it_goes_and_no_further():
    with tempfile.TemporaryDirectory() as spool, \
            confined({"uploads": {"spool_directory": spool}}) as gateway:
        equal("in it", left(gateway, "make", f"{gateway.folder}/data/x"),
              "done")
        among("beside it", left(gateway, "make", f"{gateway.folder}/x"),
              REFUSED)


@test
def test_ports_outside_can_not_be_bound_or_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as other, \
            confined() as gateway:
        port = other.getsockname()[1]
        for what, to in (("connect", port), ("fastopen", port),
                         ("mptcp", port), ("listen", free_port()),
                         ("raw", ""), ("ping", ""), ("packets", "")):
            among(what, left(gateway, what, to), REFUSED)
        equal("interface", left(gateway, "interface", "lo"), "done")
        works(gateway)


@test
def test_ports_that_are_configured_can_be_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for confine in ({"connect": [str(port)]}, {"connect": ["any"]}):
            with confined({"server": {"confine": confine}}) as gateway:
                equal("connect", left(gateway, "connect", port), "done")


@test
def test_sockets_without_a_path_are_others():
    with socket.socket(socket.AF_UNIX) as other, confined() as gateway:
        name = f"sluice-test-{os.getpid()}"
        other.bind("\0" + name)
        other.listen()
        among("connect", left(gateway, "abstract", name), REFUSED)


@test
def test_programs_processes_and_the_kernel_are_out_of_reach():
    with subprocess.Popen(["sleep", "600"]) as other, confined() as gateway:
        try:
            for what, to in (
                    ("execve", "/bin/true"), ("fork", ""),
                    ("spawn", "/bin/true"),
                    ("ptrace", other.pid), ("kill", other.pid),
                    ("memory", other.pid), ("code", ""), ("mount", "/mnt"),
                    ("unshare", ""), ("namespace", ""), ("setns", ""),
                    ("chroot", "/"), ("bpf", ""), ("keyctl", ""),
                    ("uring", ""), ("faults", ""), ("events", ""),
                    ("module", ""), ("handle", ""), ("identity", "65534"),
                    ("clock", ""), ("dumps", "")):
                among(what, left(gateway, what, to), REFUSED)
            works(gateway)
        finally:
            other.kill()


@test
def test_a_call_of_the_future_is_not_there():
    with confined() as gateway:
        equal("future", left(gateway, "future"), "ENOSYS")


@test
def test_the_log_names_a_refused_call_and_its_plugin_once():
    with confined() as gateway:
        for _ in range(3):
            left(gateway, "keyctl")
        line = gateway.says(r"error a system call was refused: keyctl")
        like("the line", line, r"keyctl \(\d+\) .*plugin 'leaver'.*request")
        left(gateway, "bpf")
        gateway.says(r"a system call was refused: bpf")
        equal("lines", sum("keyctl" in line for line in gateway.lines), 1)


@each({"off": "off", "mode": {"mode": "off"}})
def test_without_it_the_same_attempts_succeed(confine):
    with tempfile.TemporaryDirectory(dir="/var") as outside, \
            socket.create_server(("127.0.0.1", 0)) as other, \
            confined({"server": {"confine": confine}}) as gateway:
        gateway.says("confined by: nothing")
        for what, to in (("make", Path(outside, "new")), ("list", outside),
                         ("connect", other.getsockname()[1]),
                         ("listen", free_port()), ("fork", ""),
                         ("spawn", "/bin/true"), ("code", "")):
            equal(f"{what} {to}", left(gateway, what, to), "done")


@test
def test_paths_that_are_configured_beside_are_reached():
    with tempfile.TemporaryDirectory(dir="/var") as outside:
        kept = Path(outside, "kept")
        kept.write_text("kept")
        confine = {"mode": "required", "read": [outside]}
        with confined({"server": {"confine": confine}}) as gateway:
            equal("read", left(gateway, "read", kept), "done")
            among("write", left(gateway, "write", kept), REFUSED)
        confine = {"mode": "required", "write": [outside]}
        with confined({"server": {"confine": confine}}) as gateway:
            equal("make", left(gateway, "make", f"{outside}/new"), "done")


def store(folder):
    return {"plugin": "local", "directory": str(folder)}


def reloads(gateway, sections):
    written(gateway.folder, settings(gateway.folder, sections))
    gateway.process.send_signal(1)


@test
def test_reload_that_wants_more_is_refused_and_says_what_to_do():
    server = {"listen": [f"127.0.0.1:{free_port()}"]}
    with tempfile.TemporaryDirectory(dir="/var") as outside, \
            Gateway({"server": server}) as gateway:
        more = Path(outside, "more")
        reloads(gateway, {"server": server, "backends": {
            "more": store(more)}})
        line = gateway.says(r"can't write .*more any more.*restart")
        like("the line", line, re.escape(str(more)))
        like("the line", line, r"sluice ctl upgrade.*nothing was changed")
        expect(not more.exists(), "the folder was made")
        works(gateway)


@test
def test_reload_within_what_there_is_goes_on():
    server = {"listen": [f"127.0.0.1:{free_port()}"],
              "confine": {"write": ["/var/tmp"]}}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as outside, \
            Gateway({"server": server}) as gateway:
        reloads(gateway, {"server": server, "backends": {
            "more": store(Path(outside, "more"))}})
        gateway.says("configuration 2 is in use")
        works(gateway)


@test
def test_reload_goes_on_where_more_waits_for_the_next_start():
    server = {"listen": [f"127.0.0.1:{free_port()}"]}
    with tempfile.TemporaryDirectory(dir="/var") as outside, \
            Gateway({"server": server}) as gateway:
        reloads(gateway, {
            "server": {**server, "admin": f"unix:{outside}/admin",
                       "log_level": "debug"},
            "uploads": {"spool_directory": outside}})
        line = gateway.says("these change with the next start only")
        like("the line", line, "spool_directory")
        gateway.says("configuration 2 is in use")


def ctl(gateway, *words):
    return run("ctl", "-c", gateway.path, *words)


@test
def test_upgrade_reaches_what_the_new_configuration_says():
    with tempfile.TemporaryDirectory(dir="/var") as outside, \
            tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        server = {"listen": [f"127.0.0.1:{free_port()}"],
                  "admin": f"unix:{folder}/admin", "confine": "required"}
        with Gateway({"server": server}, folder=folder) as gateway:
            more = Path(outside, "more")
            asked = Path(f"/proc/{starter_of(gateway)}/fd/3")
            asked = asked.readlink() if os.geteuid() == 0 else None
            written(folder, settings(folder, {
                "server": server, "backends": {"more": store(more)}}))
            equal("status", ctl(gateway, "upgrade")[0], 0)
            expect(more.exists(), "the new process has made its folder")
            gateway.says("has taken over")
            works(gateway)
            status = json.loads(ctl(gateway, "status", "--json")[1])
            like("confined by", status["confined_by"], "landlock .*seccomp")
            held = [path.readlink() for path in
                    Path(f"/proc/{status['pid']}/fd").iterdir()
                    if asked is not None and path.is_symlink()]
            os.kill(status["pid"], 15)
            equal("exit status", gateway.wait(), 0)
            gateway.stopped = True
            eventually("the other one's end",
                       lambda: not Path(f"/proc/{status['pid']}").exists())
            expect(asked not in held, "it has held the starter's socket")


def commanded(folder):
    """A gateway that can be told to upgrade."""
    return confined({"server": {"admin": f"unix:{folder}/admin"}},
                    folder=folder)


def starter_of(gateway):
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (b"--starter" in (path / "cmdline").read_bytes().split(b"\0")
                    and f"\nPPid:\t{gateway.pid}\n"
                    in (path / "status").read_text()):
                return int(path.name)
    raise Mismatch("the gateway has no starter")


def ticks(gateway):
    fields = Path(f"/proc/{gateway.pid}/stat").read_text().split(") ")[1]
    return sum(int(field) for field in fields.split()[11:13])


@test
def test_without_its_starter_it_serves_and_says_how_to_upgrade():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder, \
            commanded(folder) as gateway:
        os.kill(starter_of(gateway), signal.SIGKILL)
        for _ in range(2):
            status, _, reason = ctl(gateway, "upgrade")
            equal("status", status, 1)
            like("the reason", reason, "has ended.*restart the gateway")
        gateway.says("process that starts the program anew has ended")
        before = ticks(gateway)
        time.sleep(1)
        expect(ticks(gateway) - before < os.sysconf("SC_CLK_TCK") / 2,
               "the processor is busy with nothing")
        works(gateway)


@test
def test_without_a_program_to_start_it_serves_and_says_how_to_upgrade():
    """Nothing but /proc says which one runs."""
    hidden = ["unshare", "-m", "sh", "-c",
              'mount -t tmpfs none /proc && exec "$@"', "sh"]
    needs(subprocess.run([*hidden, "true"], check=False,
                         stderr=subprocess.DEVNULL).returncode == 0,
          "mounts of one's own")
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder, \
            Gateway({"server": {"listen": [f"127.0.0.1:{free_port()}"],
                                "admin": f"unix:{folder}/admin"}},
                    folder=folder, before=hidden) as gateway:
        gateway.says("no process can be started.*upgrade, restart")
        gateway.says(r"confined by: landlock \d+, seccomp$")
        status, _, reason = ctl(gateway, "upgrade")
        equal("status", status, 1)
        like("the reason", reason, "couldn't be started; restart the gateway")
        works(gateway)


@each({"word": "perhaps", "mode": {"mode": "perhaps"},
       "path": {"read": ["here"]}, "write": {"write": ["./x"]},
       "port": {"connect": ["70000"]}, "zero": {"connect": ["0"]},
       "key": {"paths": ["/x"]}})
def test_bad_one_is_refused(confine):
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, {
            "server": {"confine": confine}}))
        status, _, reason = run("-c", path, "-t")
        equal("status", status, 1)
        like("the reason", reason, r"yaml:\d+: .*(write|unknown key)")


if __name__ == "__main__":
    if BINARY and not able():
        print("skipped: this kernel or build can't confine all of it")
        sys.exit(77)
    main()
