# SPDX-License-Identifier: MIT
"""A gateway over a folder with very many small objects.  They are put into
its index, with the schema that the gateway itself made, while it is stopped:
uploads of a million would take longer than all else here.
"""
import hashlib
import sqlite3
from contextlib import closing

from kit import Gateway, equal

from .peers.sluice import Sluice

BYTES = b"a small file of sixty-four bytes, of which there are very many.\n"
DAY = 1781440496000  # 2026-06-14, in milliseconds


def name_of(number):
    """Seven folders deep, a thousand objects in each of the deepest."""
    folders = "/".join(f"{number // 1000:03d}")
    tag = hashlib.md5(b"%d" % number).hexdigest()[:8]
    return f"m/{folders}/2026/06/14/{tag}-{number % 1000:03d}.txt"


def rows(count):
    digest = hashlib.md5(BYTES)
    user = (b"original-filename\0file.txt\0md5\0" +
            digest.hexdigest().encode() + b"\0uploaded-by\0anonymous\0")
    for number in range(count):
        yield (name_of(number).encode(), len(BYTES), DAY + number,
               digest.digest(), number + 1, None, "text/plain", user)


def fill(folder, count):
    with closing(sqlite3.connect(folder / "data" / "index.db")) as index:
        index.execute("PRAGMA synchronous = OFF")
        index.execute("BEGIN")
        index.executemany("INSERT INTO small VALUES(?, ?)",
                          ((number + 1, BYTES) for number in range(count)))
        index.executemany(
            "INSERT INTO object(key, size, mtime, etag, small, blob, type, "
            "user) VALUES(?,?,?,?,?,?,?,?)", sorted(rows(count)))
        index.execute("COMMIT")


class Stocked(Sluice):
    """With `count` of them."""

    def __init__(self, folder, client, count):
        self.count = count
        super().__init__(folder, client)

    def start(self):
        with Gateway(self.sections(), folder=self.folder):
            pass
        fill(self.folder, self.count)
        super().start()
        last = name_of(self.count - 1)
        equal("bytes put into the index",
              self.gateway.download(last).body, BYTES)
