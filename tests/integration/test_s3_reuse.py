#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Connections to the storage are kept: after downloads of every size, after
ranges, and after a client that read nothing to the end only a few."""
import sys

from bucket import BUCKET, gateway, noise, shared
from kit import FORM, MIB, each, equal, expect, field, file, form, main


def uploaded(running, data):
    answer = running.ask("POST", "/files", FORM,
                         body=form(field("prefix", "t"), file(data)))
    equal("status", answer.status, 201)
    return answer.json["key"]


def connections(s3, method):
    """Without those that a sweep had meanwhile: then there has to be a second
    one."""
    everything = s3.control("GET", "requests")["requests"]
    counted = s3.requests()
    swept = {one["connection"] for one in everything if one not in counted}
    return {one["connection"] for one in s3.requests(method)} - swept


@each({"one_piece": 5000, "small": 65536, "above_small": 65537,
       "large": MIB + 1})
def test_downloads_share_a_connection(size):
    s3 = shared("minio")
    data = noise(size)
    with gateway(s3, BUCKET, {"server": {"workers": "1"}}) as running:
        key = uploaded(running, data)
        for _ in range(10):
            equal("body", running.download(key).body, data)
        for _ in range(5):
            equal("part", running.download(key, "Range: bytes=100-199").body,
                  data[100:200])
        used = connections(s3, "GET")
        expect(len(used) <= 1, f"{len(used)} connections for 15 downloads")


if __name__ == "__main__":
    sys.exit(main())
