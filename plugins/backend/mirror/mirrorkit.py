# SPDX-License-Identifier: MIT
"""A gateway over the layer `mirror`, for test_mirror*.py: its storages, what
lies in each of them, and what is on the queue."""
import contextlib
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
# pylint: disable=wrong-import-position
from kit import Gateway, quote  # noqa: E402

STORES = ("one", "two", "three")
SOUND = {name: {"plugin": "prefix", "over": "main", "prefix": f"{name}/"}
         for name in STORES}


def broken(name, *operations, **faults):
    """That storage behind faults: the name is that of the layer over it."""
    return {name: {"plugin": "chaos", "over": f"{name}-below",
                   "operations": list(operations), **(faults or {"fail":
                                                                 "100"})},
            f"{name}-below": SOUND[name]}


def sections(over=("one", "two"), faults=None, workers=1, ready=None,
             **options):
    """Each storage is a part of one, so that they cost little; what lies
    there is looked at behind the faults."""
    faults = faults or {}
    backends = {**SOUND, **faults, "files": {
        "plugin": "mirror", "over": list(over), "directory": "./queue",
        "heal": "100ms", "timeout": "5s", **options}}
    routes = [{"mount": "/files", "backend": "files"}]
    for name in STORES:
        seen = f"{name}-below"
        routes.append({"mount": f"/{name}",
                       "backend": seen if seen in faults else name})
    server = {"workers": str(workers), **({"ready": ready} if ready else {})}
    return {"server": server, "backends": backends, "routes": routes}


def gateway(folder=None, **words):
    where = Path(folder or tempfile.mkdtemp(prefix="sluice-mirror-"))
    words = sections(**words)
    words["backends"]["files"]["directory"] = str(where / "queue")
    return Gateway(words, folder=where)


@contextlib.contextmanager
def place():
    with tempfile.TemporaryDirectory(prefix="sluice-mirror-") as folder:
        yield folder


def at(mount, key):
    return f"/{mount}/object?key={quote(key, safe='')}"


def put(gate, mount, key, data=b"x", *lines):
    return gate.ask("PUT", at(mount, key), *lines, body=data).status


def get(gate, mount, key):
    answer = gate.ask("GET", at(mount, key))
    return answer.body if answer.status == 200 else answer.status


def delete(gate, key, *lines):
    return gate.ask("DELETE", at("files", key), *lines).status


def both(gate, key, names=("one", "two")):
    return [get(gate, name, key) for name in names]


def breaches(gate):
    return [line for line in gate.lines if "breaks the contract" in line]


def owed(folder):
    """The keys on the queue, by its file: the last line of each counts."""
    found = {}
    for line in Path(folder, "queue/queue").read_text().splitlines()[1:]:
        found[line[20:]] = int(line[17:19], 16)
    return sorted(key for key, stores in found.items()
                  if stores and not key.startswith(".sluice/"))
