#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A backend whose blocking calls hang: those beside it go on."""
import contextlib
import os
import tempfile
import threading
from pathlib import Path

from kit import KIB, Gateway, each, equal, main, md5, request, test

LARGE = os.urandom(300 * KIB)  # its MD5 is a thread's


@contextlib.contextmanager
def hung(limits, requests, backends=("stall",)):
    """A gateway over `local` whose backends of the other kind are asked for
    what never comes; at the end it comes."""
    with tempfile.TemporaryDirectory() as folder:
        fifo = Path(folder, "fifo")
        os.mkfifo(fifo)
        more = {f"hung{i}": {"plugin": "stall", "block": str(fifo)}
                for i in range(len(backends))}
        with Gateway({"server": {"workers": "1"}, "limits": limits,
                      "backends": more, "routes": [
                          {"mount": "/files", "backend": "main"},
                          *({"mount": f"/{name}", "backend": name}
                            for name in more)]}) as gateway, \
                contextlib.ExitStack() as stack:
            wires = []
            for name in more:
                for _ in range(requests):
                    wire = stack.enter_context(gateway.wire())
                    wire.send(request(
                        "GET", f"/{name}/download?key=stall%2Fpool"))
                    wires.append(wire)
            gateway.alive()  # they have been heard, too
            yield gateway
            # Each opening for writing lets go those who wait by then.
            ended = threading.Event()

            def let_go():
                while not ended.is_set():
                    with contextlib.suppress(OSError):
                        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
                    ended.wait(0.01)
            thread = threading.Thread(target=let_go)
            thread.start()
            try:
                for wire in wires:
                    equal("status in the end", wire.answer().status, 404)
            finally:
                ended.set()
                thread.join()


def works(gateway):
    """All of what `local` needs threads for."""
    answers = [gateway.upload(LARGE, name=f"{i}.bin") for i in range(8)]
    for answer in answers:
        equal("md5", md5(gateway.download(answer["key"]).body), md5(LARGE))
    equal("keys", len(gateway.keys()), 8)
    gateway.delete(answers[0]["key"])
    equal("readyz", gateway.ask("GET", "/readyz").status, 200)


@each({"default": {}, "two": {"threads": "2"},
       "said": {"threads": "4", "threads_per_plugin": "3"},
       "one_each": {"threads": "4", "threads_per_plugin": "1"}})
def test_hung_backend_does_not_stop_the_one_beside_it(limits):
    with hung(limits, 8) as gateway:
        works(gateway)


@test
def test_two_hung_backends_stop_no_third_with_a_small_share():
    with hung({"threads": "3", "threads_per_plugin": "1"}, 4,
              ("stall", "stall")) as gateway:
        works(gateway)


@each({"1": "1", "4": "4"})
def test_md5s_are_made_while_all_threads_of_plugins_hang(threads):
    """The backend that hangs takes uploads without a thread."""
    limits = {"threads": threads, "threads_per_plugin": threads}
    with hung(limits, int(threads) + 2) as gateway:
        for _ in range(8):
            answer = gateway.upload(LARGE, mount="/hung0")
            equal("ETag", gateway.download(answer["key"], mount="/hung0")
                  .header("etag"), f'"{md5(LARGE)}"')


if __name__ == "__main__":
    main()
