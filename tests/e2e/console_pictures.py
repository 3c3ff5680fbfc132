#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the pictures of docs/console: console_pictures.py FOLDER."""
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from consolekit import Console
from objectskit import put

SIDE = 160


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def landscape(sky, ground, height):
    """A PNG: a sky that grows lighter, and hills."""
    rows = []
    for y in range(SIDE):
        row = bytearray(b"\0")
        for x in range(SIDE):
            hill = height + 18 * abs((x * 3 // 2 % SIDE) - SIDE / 2) / SIDE
            colour = sky if y < hill else ground
            light = 0.55 + 0.45 * y / SIDE
            row += bytes(min(255, int(c * light)) for c in colour)
        rows.append(bytes(row))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0,
                                       0)) +
            chunk(b"IDAT", zlib.compress(b"".join(rows))) +
            chunk(b"IEND", b""))


def fill(gateway):
    for key, data in {
            "invoices/2026/05.pdf": b"x", "photos/2026/a.jpg": b"x",
            "reports/2026/june.pdf": b"x",
            "budget 2026.xlsx": b"x" * 45_300,
            "dunes.png": landscape((250, 190, 120), (190, 120, 60), 80),
            "fjord.png": landscape((130, 190, 240), (40, 90, 90), 70),
            "meadow.png": landscape((190, 220, 250), (90, 150, 70), 95),
            "interview.mp3": b"x" * 8_912_000,
            "lease.pdf": b"x" * 412_000,
            "notes.md": b"# Notes\n" * 300,
            "walkthrough.mp4": b"x" * 31_457_280}.items():
        put(gateway, key, data)


def main():
    folder = Path(sys.argv[1])
    with Console() as it, tempfile.TemporaryDirectory() as scratch:
        fill(it.gateway)
        it.size(1120, 700)
        it.looks("light")
        line = it.over_a_line()
        it.open()
        it.wait("thumbnails", "document.querySelectorAll('.thumb canvas')"
                ".length === 3")
        line.rate = 4_000_000
        large, small = Path(scratch, "keynote.mov"), Path(scratch, "plan.txt")
        large.write_bytes(b"x" * 48_000_000)
        small.write_bytes(b"x" * 2000)
        it.upload(large, small)
        it.wait("bytes", "[...document.querySelectorAll('.queue li "
                "progress')].some(bar => bar.value > .3 && bar.value < 1)",
                60)
        it.picture(folder / "light.png")
        it.looks("dark")
        it.picture(folder / "dark.png")
        line.rate = None
        it.says("2 files uploaded", 60)
        it.click("Clear finished")
        it.looks("light")
        it.size(390, 780, True)
        time.sleep(1)
        it.picture(folder / "phone.png")
        it.menu("lease.pdf", "Share…")
        it.click("Make link", "[type=submit]")
        it.says("Valid until")
        it.picture(folder / "share.png")


if __name__ == "__main__":
    main()
