# SPDX-License-Identifier: MIT
"""Host names that come and go: a gateway with a hosts(5) of its own, which its
test rewrites.  Its names are looked up as always, by getaddrinfo(3)."""
import shutil
import subprocess
from pathlib import Path

from kit import needs

# Nothing but the file is asked, so that an unknown name is unknown at once.
SWITCH = "hosts: files\n"
MOUNT = ('mount --bind "$0" /etc/hosts || exit; '
         'test ! -e /etc/nsswitch.conf || '
         'mount --bind "$1" /etc/nsswitch.conf || exit; '
         'shift; exec "$@"')


class Names:
    """`before` is for a Gateway."""

    def __init__(self, folder):
        needs(shutil.which("unshare"), "no unshare")
        self.path, switch = Path(folder, "hosts"), Path(folder, "nsswitch")
        self.known()
        switch.write_text(SWITCH)
        self.before = ["unshare", "--map-root-user", "--mount", "sh", "-c",
                       MOUNT, str(self.path), str(switch)]
        tried = subprocess.run([*self.before, "true"], capture_output=True,
                               check=False)
        needs(not tried.returncode, "no mounts of one's own here")

    def known(self, *names):
        """These names, and no others, are 127.0.0.1."""
        self.path.write_text("".join(f"127.0.0.1 {name}\n" for name in names))
