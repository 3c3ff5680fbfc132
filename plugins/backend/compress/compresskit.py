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


def stands_on_itself(start, copies=True):
    """Over a gateway of two such layers; what is all of one letter is
    compressed by both."""
    bodies = {"k/both": b"a" * 3000000, "k/upper": text_of(5000),
              "k/none": noise_of(5000), "k/empty": b""}
    with start() as gate:
        for key, body in bodies.items():
            gate.put(key, body)
            expect(gate.get(key).body == body, f"{key}: other bytes")
            kit.equal(key, gate.head(key).header("content-length"),
                      str(len(body)))
        kit.equal("list", {one["key"]: one["size_bytes"] for one in gate.ask(
            "GET", "/files?prefix=k/").json["objects"]},
                  {key: len(body) for key, body in bodies.items()})
        kit.equal("range", gate.get("k/both", "Range: bytes=2999990-").body,
                  b"a" * 10)
        kit.equal("breaches", gate.breaches(), [])
        if not copies:
            return
        answer = gate.ask("POST", "/files/copy",
                          "Content-Type: application/json",
                          body=b'{"from": "k/both", "to": "k/copy"}')
        kit.equal("copy", answer.status, 201)
        expect(gate.get("k/copy").body == bodies["k/both"], "copied bytes")
