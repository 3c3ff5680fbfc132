#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links over a storage that fails or stands still: uses that came to nothing
come back whole."""
import time

from bucket import BUCKET, Emulator, gateway as over_s3
from kit import equal, eventually, expect, head, main, test
from linkskit import KEY, code, link, put, target

PATIENT = {"idle_timeout": "60s"}  # the plugin itself gives nothing up


def uses(s3):
    """How many uses the storage knows of; None: no count is there."""
    for key in s3.state(BUCKET)["objects"]:
        if "/uses/" in key:
            return int(s3.client().get(BUCKET, key).body.split()[0])
    return None


def leave_while_counting(s3, gateway, url, pause=None):
    """Asks for a download, and is gone before its use is counted."""
    s3.faults({"match": {"method": "PUT", "path": "uses/"}, "do": "stall",
               "seconds": pause})
    wire = gateway.wire()
    wire.send(head("GET", url))
    s3.wait_for_fault()
    wire.reset()


# ---- uses -------------------------------------------------------------------

@test
def test_use_of_a_client_that_left_is_resumed_by_nobody():
    with Emulator("aws") as s3, over_s3(s3, **PATIENT) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        leave_while_counting(s3, gateway, url, 0.5)
        eventually("the use comes back", lambda: uses(s3) == 0)
        equal("status", gateway.ask("GET", url, "Range: bytes=1-").status,
              206)
        equal("code", code(gateway.ask("GET", url)), "link_used_up")


@test
def test_use_comes_back_where_the_storage_fails_before_the_first_byte():
    with Emulator("aws") as s3, over_s3(s3, retry_time="100ms") as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        s3.faults({"match": {"method": "GET", "path": KEY},
                   "do": "truncate", "at": 0, "times": 9999})
        expect(gateway.ask("GET", url).status >= 500, "it was served")
        s3.control("DELETE", "faults")
        eventually("the use comes back", lambda: uses(s3) == 0)
        equal("status", gateway.ask("GET", url, "Range: bytes=1-").status,
              206)
        equal("code", code(gateway.ask("GET", url)), "link_used_up")


@test
def test_count_that_cannot_be_read_is_not_read_for_ever():
    with Emulator("aws") as s3, over_s3(s3, retry_time="100ms",
                                        **PATIENT) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        leave_while_counting(s3, gateway, url, 0.5)
        s3.faults({"match": {"method": "GET", "path": "uses/"}, "do": "403",
                   "times": 9999})

        def reads():
            return sum("uses/" in one["target"] for one in s3.requests("GET"))
        eventually("it is read", lambda: reads() > 1)
        before, end = reads(), time.monotonic() + 1
        while time.monotonic() < end:
            gateway.alive()
        expect(reads() < before + 5, f"{reads() - before} reads in a second")


if __name__ == "__main__":
    main()
