# SPDX-License-Identifier: MIT
"""Shared by the tests of objects by name, of copies and of batches."""
import subprocess
import threading
from urllib.parse import quote

from kit import PATIENCE, SLOWNESS, Gateway, equal, eventually, md5

BAD_KEYS = {"empty segment first": "/x", "empty segment last": "x/",
            "empty segment": "a//b", "dot": "a/./b", "dots": "../a",
            "1025 bytes": "x" * 1025, "control": "a\x01b", "DEL": "a\x7f",
            "U+FFFF": "a\uffff"}


def url(key, mount="/files"):
    return f"{mount}/object?key={quote(key, safe='')}"


def put(gateway, key, data, *lines, mount="/files"):
    return gateway.ask("PUT", url(key, mount), *lines, body=data)


def get(gateway, key, *lines, method="GET", mount="/files"):
    return gateway.ask(method, url(key, mount), *lines)


def is_there(gateway, key, data, mount="/files"):
    answer = get(gateway, key, mount=mount)
    equal("object", (answer.status, md5(answer.body)), (200, md5(data)))
    return answer


def together(count, function):
    """The results of so many threads, all begun at once."""
    barrier, got = threading.Barrier(count), [None] * count

    def one(number):
        barrier.wait(PATIENCE)
        try:
            got[number] = function(number)
        except Exception as error:  # pylint: disable=broad-except
            got[number] = error
    threads = [threading.Thread(target=one, args=[number])
               for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


# ---- hooks and backends of tests --------------------------------------------

def witnessed(gateway, phase, *keys, times=1):
    """The witness's words in a phase: pairs of operation and key."""
    for key in keys:
        eventually(f"{phase} of {key}", lambda key=key: sum(
            f" {phase}: " in line and line.endswith(f" {key}")
            for line in gateway.lines) >= times)
    return [tuple(line.split(f" {phase}: ")[1].split(" ", 1))
            for line in gateway.lines if f" {phase}: " in line]


WITNESS = {"server": {"workers": "1"},
           "hooks": [{"plugin": "roguehook", "how": "witness"}]}


SLOW = int(300 * SLOWNESS)  # ms


def slow_hook(how, delay, timeout, backend=None):
    """Two hooks: a slow one, and a witness behind it."""
    return Gateway({
        "server": {"workers": "1"}, **(backend or {}),
        "limits": {"backend_timeout": f"{timeout}ms"},
        "hooks": [{"plugin": "roguehook", "how": how, "delay": f"{delay}ms"},
                  {"plugin": "roguehook", "how": "witness"}]})


# It has none of the abilities, and removes one key at a time.
STALL = {"server": {"workers": "1"},
         "backends": {"stall": {"plugin": "stall"}},
         "routes": [{"mount": "/files", "backend": "stall"}]}


def crowd(gateway, count):
    """That many objects of one byte, m/000000 and so on."""
    config = "next\n".join(
        f'url = "{gateway.url}/files/object?key=m/{i:06}"\n'
        "data = x\nrequest = PUT\n" for i in range(count))
    subprocess.run(["curl", "-sZ", "--parallel-max", "20", "-K", "-"],
                   input=config.encode(), check=True,
                   stdout=subprocess.DEVNULL)
