# SPDX-License-Identifier: MIT
"""The tests of the layer `compress` share a gateway over it, and bytes of
which some get shorter."""
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
sys.path.insert(0, str(Path(__file__).parent))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import Gateway, expect, quote  # noqa: E402

FRAME = 65536
ROUTES = [{"mount": "/files", "backend": "small"},
          {"mount": "/below", "backend": "main"}]


class Small(Gateway):
    """A gateway over compressed objects, which are also seen as they lie."""

    def __init__(self, backends=None, routes=None, over="main", folder=None,
                 **options):
        plugins = {"small": {"plugin": "compress", "over": over,
                             "frame_size": "64KiB", **options},
                   **(backends or {})}
        super().__init__({"backends": plugins, "routes": routes or ROUTES},
                         folder=folder)

    def put(self, key, data, *lines, mount="/files"):
        answer = self.ask("PUT", f"{mount}/object?key={quote(key, safe='')}",
                          *lines, body=data)
        expect(answer.status in (200, 201), f"{key}: {answer.status}")
        return answer

    def get(self, key, *lines, mount="/files"):
        return self.ask("GET", f"{mount}/object?key={quote(key, safe='')}",
                        *lines)

    def head(self, key, *lines, mount="/files"):
        return self.ask("HEAD", f"{mount}/object?key={quote(key, safe='')}",
                        *lines)

    def stored(self, key):
        return self.get(key, mount="/below").body

    def breaches(self):
        return [line for line in self.lines if "breaks the contract" in line]


def main():
    """Without zstd there is no such layer."""
    if not any(Path(folder, "compress.so").exists()
               for folder in kit.PLUGINS):
        print("skipped: compress.so isn't built")
        sys.exit(77)
    kit.main()


def noise_of(length, seed=0):
    return hashlib.shake_128(f"{seed}/{length}".encode()).digest(length)


def text_of(length, seed=0):
    """Lines of which nothing comes twice; they come to a little over half."""
    digits = noise_of(length // 2 + 1, seed).hex()
    return "\n".join(digits[at:at + 60] for at in
                     range(0, length, 60)).encode().ljust(length)[:length]
