# SPDX-License-Identifier: MIT
"""Gateways with a script, for the tests of the hook lua."""
import contextlib
import tempfile
from pathlib import Path

import kit
from kit import Gateway, equal, needs, refusal


def hook(path, **options):
    needs(any(Path(folder, "lua.so").exists() for folder in kit.PLUGINS),
          "no hook lua, as Lua 5.4 is missing (Debian: liblua5.4-dev)")
    return {"plugin": "lua", "script": str(path), **options}


@contextlib.contextmanager
def written(text):
    """A script, s.lua."""
    with tempfile.TemporaryDirectory(prefix="sluice-lua-") as folder:
        path = Path(folder, "s.lua")
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        yield path


@contextlib.contextmanager
def scripted(text, *others, sections=None, **options):
    """A gateway on one loop, with the script and hooks of more scripts."""
    with contextlib.ExitStack() as stack:
        hooks = [hook(stack.enter_context(written(one)), **options)
                 for one in (text, *others)]
        gateway = stack.enter_context(Gateway({
            "server": {"workers": "1"}, **(sections or {}), "hooks": hooks}))
        gateway.script = Path(hooks[0]["script"])
        yield gateway


def refused(text, *words, **options):
    """The line with which a gateway doesn't start."""
    with written(text) as path:
        return refusal({"hooks": [hook(path, **options)]}, *words)


def failed(answer):
    equal("answer", (answer.status, answer.error),
          (500, "The gateway's script failed"))
