# SPDX-License-Identifier: MIT
"""A page that teaches: its fenced blocks are files and commands, which the
tests beside this file extract and run."""
import re

from outside import installed, ran

import kit
from kit import expect


def code_lines(text):
    """Without blank lines, comments and lone braces."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return [line for line in text.splitlines() if line.strip(" \t{}")]


class GuideGateway(kit.Gateway):
    def __init__(self, text, env):
        written = kit.written
        kit.written = lambda folder, _: written(folder, text)
        try:
            super().__init__(env=env)
        finally:
            kit.written = written


class Guide:
    def __init__(self, page, env=None):
        self.page, self.env, self.folder = page, env or {}, None

    def blocks(self):
        """The fenced blocks: (the words behind the fence, their text)."""
        return re.findall(r"^```([^\n]*)\n(.*?)^```$",
                          self.page.read_text(), re.M | re.S)

    def extracted(self, folder):
        """Writes the files of the page; blocks of one file are one text."""
        files = {}
        for words, text in self.blocks():
            if found := re.search(r"file=(\S+)", words):
                files.setdefault(found[1], []).append(text)
        for name, texts in files.items():
            (folder / name).write_text("\n".join(texts))
        return sorted(files)

    def afternoon(self):
        """The folder of somebody who did all that the page says."""
        if self.folder is None:
            folder = installed().scratch()
            self.extracted(folder)
            for words, text in self.blocks():
                if words == "sh run":
                    ran(["sh", "-eu", "-c", text], cwd=folder,
                        env={**installed().env, **self.env})
            self.folder = folder
        return self.folder

    def gateway(self, name, env=None):
        """The installed gateway with a configuration of the page's, at a port
        that is free."""
        folder = self.afternoon()
        text = (folder / name).read_text()
        expect(":8000" in text, f"{name} has another port")
        plugins = next(installed().root.rglob("local.so")).parent
        text = text.replace(":8000", ":0").replace(
            "[.]", f"[{folder}, {plugins}]")
        text = text.replace("./data", f"{installed().scratch()}/data")
        kit.BINARY = str(installed().binary)
        return GuideGateway(text, env)
