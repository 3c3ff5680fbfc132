# SPDX-License-Identifier: MIT
"""Says what a disk may hold after the power failed, by the calls that were
made.

Disk takes the records of recorder.c one after the other and keeps, of each
file and folder, what is durable and what was done since.  cuts() gives the
states that a file system may come back with; each is a dict of paths, with
None for a folder and (mode, bytes) for a file.

Two models, which docs/reliability.md derives from what file systems promise:

ordered   ext4 (data=ordered) and xfs: changes of names, sizes that shrink and
          modes are in one journal, of which any beginning survives, and a sync
          of any file or folder has all before it survive.  A file's bytes are
          written in any order and not at all before its own sync.
loose     what POSIX promises, and so an upper bound of btrfs, too: each name
          is lost or kept by itself until its own folder is synced, and each
          file's mode by itself until that file is.

In both, of what was written to a file and not synced, each piece of 4 KiB is
on the disk or isn't, or a part of it by sectors of 512 bytes; the file's
length is any that it had since, and what lies between is zeros.
"""
import os
import shutil

PAGE, SECTOR = 4096, 512
MODELS = ("ordered", "loose")


class File:
    """A file's durable bytes and mode, and what was done to it since.
    `journaled` and `resized` count the changes of names that were made when
    the inode, or its length, was last changed: what a sync takes along."""

    def __init__(self, mode, count):
        self.base, self.size, self.base_mode = b"", 0, mode
        self.changes = []  # (offset, bytes), or (length, None)
        self.journaled = self.resized = count

    def write(self, at, data, count):
        if at + len(data) > self.size:
            self.size = at + len(data)
            self.journaled = self.resized = count
        self.changes.append((at, data))

    def cut(self, size, count):
        if size != self.size:
            self.size = size
            self.journaled = self.resized = count
            self.changes.append((size, None))

    def sync(self):
        self.base = bytes(self.made(lambda _: PAGE // SECTOR))
        self.changes = []

    def pieces(self):
        """Tells what was changed since the last sync: pieces by their numbers,
        lengths that were set by negative ones."""
        found = set()
        for number, (at, data) in enumerate(self.changes):
            if data is None:
                found.add(-1 - number)
            elif data:
                found.update(range(at // PAGE,
                                   (at + len(data) - 1) // PAGE + 1))
        return found

    def made(self, keeps):
        """The bytes, where of each written piece keeps(piece) says how many of
        its sectors, from its beginning or (below 0) its end, are on the disk.
        """
        out = bytearray(self.base)
        for number, (at, data) in enumerate(self.changes):
            if data is None:
                if keeps(-1 - number):
                    del out[at:]
                    out.extend(bytes(at - len(out)))
                continue
            end = at + len(data)
            if end > len(out):
                out.extend(bytes(end - len(out)))
            for piece in range(at // PAGE, (end - 1) // PAGE + 1):
                low, high = piece * PAGE, (piece + 1) * PAGE
                kept = keeps(piece)
                if kept < 0:
                    low = high + kept * SECTOR
                else:
                    high = low + kept * SECTOR
                low, high = max(low, at), min(high, end)
                if low < high:
                    out[low:high] = data[low - at:high - at]
        return out

    def lengths(self):
        """Those it had since the last sync, with the durable one."""
        found, size = {len(self.base)}, len(self.base)
        for at, data in self.changes:
            size = at if data is None else max(size, at + len(data))
            found.add(size)
        return sorted(found)


class Name:
    """One change of names or modes, which is on the disk or isn't.  `where`
    is the folder, or the file, whose sync makes it durable."""

    def __init__(self, number, where, act, mode=None):
        self.number, self.where, self.act = number, where, act
        self.mode = mode


def folder_of(path):
    return os.path.dirname(path) or "."


class Disk:
    """All of a store, from its beginning."""

    def __init__(self):
        self.files, self.base = {}, {}  # by inode; durable names
        self.now, self.names = {}, []   # names as processes see them; changes
        self.count = 0                  # of changes of names, ever
        self.latest = {}                # in each folder

    # -- records

    def take(self, words, data):
        getattr(self, "do_" + words[0])(data, *words[1:])

    def do_write(self, data, inode, at, _):
        self.files[inode].write(int(at), data, self.count)

    def do_truncate(self, _, inode, size):
        self.files[inode].cut(int(size), self.count)

    def do_unnamed(self, _, inode, mode):
        self.files[inode] = File(int(mode, 8), self.count)

    def do_create(self, _, inode, mode, path):
        self.files[inode] = File(int(mode, 8), self.count)
        self.do_link(None, inode, path)

    def do_link(self, _, inode, path):
        file = self.files[inode]
        self.change(path, lambda names: names.__setitem__(path, file))
        file.journaled = file.resized = self.count

    def do_mkdir(self, _, __, path):
        self.change(path, lambda names: names.setdefault(path, None))

    def do_unlink(self, _, path):
        self.change(path, lambda names: names.pop(path, None))

    def do_rename(self, _, old, new):
        def act(names):
            if old in names:
                names[new] = names.pop(old)
        self.change(new, act)
        self.latest[folder_of(old)] = self.count

    def do_chmod(self, _, inode, mode):
        file = self.files.get(inode)
        if file:
            self.count += 1
            file.journaled = self.count
            self.names.append(Name(self.count, file, None, int(mode, 8)))

    def change(self, path, act):
        act(self.now)
        self.count += 1
        self.latest[folder_of(path)] = self.count
        self.names.append(Name(self.count, folder_of(path), act))

    # -- syncs

    def settle(self, which):
        """Changes of names that are durable from now on, in their order."""
        for name in self.names:
            if which(name):
                self.act(name, self.base)
        self.names = [name for name in self.names if not which(name)]

    @staticmethod
    def act(name, names):
        if name.act:
            name.act(names)
        else:
            name.where.base_mode = name.mode

    def do_sync(self, _, inode):
        self.files[inode].sync()
        self.settle_with(self.files[inode], self.files[inode].journaled)

    def do_datasync(self, _, inode):
        self.files[inode].sync()
        self.settle_with(self.files[inode], self.files[inode].resized)

    def do_syncdir(self, _, path):
        self.settle_with(path, self.latest.get(path, 0))

    def do_syncall(self, *_):
        for file in self.files.values():
            file.sync()
        self.settle(lambda _: True)

    def settle_with(self, what, count):
        """`what` was synced, whose last change has that number."""
        raise NotImplementedError

    # -- states

    def dirty(self):
        """Files that have a name, durable or not, and unsynced bytes."""
        named = {id(file): file for names in (self.base, self.now)
                 for file in names.values() if file}
        return [file for file in named.values() if file.changes]

    def units(self):
        """All bytes that may be on the disk or not."""
        return [(file, piece) for file in self.dirty()
                for piece in sorted(file.pieces())]

    def subsets(self, dice):
        """Changes of names that may survive: none and all among them."""
        raise NotImplementedError

    def state(self, names, keeps, length):
        """keeps(file, piece): sectors; length(file): -1, or a shorter one."""
        made, modes, out = dict(self.base), {}, {}
        for name in names:
            if name.act:
                name.act(made)
            else:
                modes[id(name.where)] = name.mode
        for path, file in made.items():
            if not self.reachable(path, made):
                continue
            if file is None:
                out[path] = None
                continue
            data = file.made(lambda piece, file=file: keeps(file, piece)) \
                if file.changes else file.base
            cut = length(file)
            out[path] = (modes.get(id(file), file.base_mode),
                         bytes(data[:cut] if cut >= 0 else data))
        return out

    @staticmethod
    def reachable(path, made):
        while (path := folder_of(path)) != ".":
            if path not in made:
                return False
        return True

    def whole(self):
        """As a crash of the process alone leaves it."""
        return self.state(self.names, all_of, no_cut)


def all_of(_, __):
    return PAGE // SECTOR


def none_of(_, __):
    return 0


def no_cut(_):
    return -1


def durable(file):
    return len(file.base)


class Ordered(Disk):
    """ext4 with data=ordered, xfs: one journal."""

    def settle_with(self, what, count):
        self.settle(lambda name: name.number <= count)

    def subsets(self, dice):
        """Any beginning of the journal."""
        for many in range(len(self.names) + 1):
            yield self.names[:many]


class Loose(Disk):
    """POSIX: each folder, and each file's inode, for itself."""

    def settle_with(self, what, count):
        self.settle(lambda name: name.where is what or name.where == what)

    def subsets(self, dice):
        names, count = self.names, len(self.names)
        if count <= 5:
            for bits in range(1 << count):
                yield [one for at, one in enumerate(names) if bits >> at & 1]
            return
        yield from ([], names)
        for at in range(count):
            yield names[:at] + names[at + 1:]
            yield [names[at]]
        for _ in range(2 * count):
            yield [one for one in names if dice.random() < 0.5]


KINDS = {"ordered": Ordered, "loose": Loose}


def choices(disk, dice, few):
    """(keeps, length) for the bytes: all subsets of pieces while they are few,
    else each alone, each missing, and as many by chance; torn ones, too."""
    units = disk.units()
    yield all_of, no_cut
    if not units:
        return
    yield none_of, no_cut
    yield none_of, durable
    whole = PAGE // SECTOR
    if len(units) <= few:
        sets = [{unit for at, unit in enumerate(units) if bits >> at & 1}
                for bits in range(1, (1 << len(units)) - 1)]
    else:
        some = units if len(units) <= 4 * few else dice.sample(units, 4 * few)
        sets = [{unit} for unit in some] + \
            [set(units) - {unit} for unit in some] + \
            [{unit for unit in units if dice.random() < 0.5} for _ in some]
    for kept in sets:
        yield (lambda file, piece, kept=kept:
               whole if (file, piece) in kept else 0), no_cut
    torn = units if len(units) <= few else dice.sample(units, few)
    for one in torn:
        for part in (dice.randrange(1, whole), -dice.randrange(1, whole)):
            yield (lambda file, piece, one=one, part=part:
                   part if (file, piece) == one else whole), no_cut
            yield (lambda file, piece, one=one, part=part:
                   part if (file, piece) == one else 0), no_cut
    for file in disk.dirty():
        for size in file.lengths()[:few]:
            for keeps in (all_of, none_of):
                yield keeps, lambda other, file=file, size=size: \
                    size if other is file else -1


def cuts(disk, dice, few=5):
    """The states, not all different."""
    for names in disk.subsets(dice):
        yield disk.state(names, all_of, no_cut)
        yield disk.state(names, none_of, no_cut)
        yield disk.state(names, none_of, durable)
    for keeps, length in choices(disk, dice, few):
        yield disk.state(disk.names, keeps, length)
    subsets = list(disk.subsets(dice))
    ways = list(choices(disk, dice, few))
    for _ in range(min(2 * few, len(subsets) * len(ways))):
        keeps, length = dice.choice(ways)
        yield disk.state(dice.choice(subsets), keeps, length)


def write_out(state, folder):
    """Makes a folder of a state."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, 0o700)
    for path in sorted(state, key=lambda one: (one.count("/"), one)):
        if state[path] is None:
            os.mkdir(f"{folder}/{path}", 0o700)
    for path, held in state.items():
        if held is None:
            continue
        mode, data = held
        file = os.open(f"{folder}/{path}", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(data)
            os.fchmod(file, mode)


def records(path):
    """The words and bytes of each record of that file."""
    with open(path, "rb") as stream:
        while line := stream.readline():
            kind, _, rest = line.decode().rstrip("\n").partition(" ")
            if kind == "rename":
                words = rest.split("\t")
            elif kind in ("syncdir", "unlink"):
                words = [rest]
            else:
                words = rest.split(" ", {"create": 2, "mkdir": 1,
                                         "link": 1}.get(kind, -1))
            size = int(words[2]) if kind == "write" else 0
            yield [kind, *words], stream.read(size)
