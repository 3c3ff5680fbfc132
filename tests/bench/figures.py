# SPDX-License-Identifier: MIT
"""The figures that are promised: what each is, its limit, and how its values
come from the samples, one for each round.
"""
import statistics


class Figure:
    def __init__(self, text, values, *, least=None, most=None, unit=""):
        self.text, self.values, self.unit = text, values, unit
        self.least, self.most = least, most

    def limited(self):
        """Without a limit it is there to judge the others by."""
        if self.least is not None:
            return f"≥ {self.least:g}{self.unit}"
        return "" if self.most is None else f"≤ {self.most:g}{self.unit}"

    def met(self, values):
        middle = statistics.median(values)
        if self.least is not None:
            return middle >= self.least
        return self.most is None or middle <= self.most

    def verdict(self, values):
        if self.least is None and self.most is None:
            return ""
        return "holds" if self.met(values) else "**does not hold**"


def sampled(samples, group, work, peer, figure):
    return samples.of.get((group, work, peer), {}).get(figure, [])


def ratio(group, work, other, figure="rate", peer="Sluice", upside=False):
    """Sluice to another peer, round by round; `upside`: the other way."""
    def values(samples):
        ours = sampled(samples, group, work, peer, figure)
        theirs = sampled(samples, group, work, other, figure)
        pairs = [(b, a) if upside else (a, b) for a, b in zip(ours, theirs)]
        return [a / b for a, b in pairs if b]
    return values


def to_best(group, work, but=()):
    """Sluice to the fastest of the peers, round by round."""
    def values(samples):
        ours = sampled(samples, group, work, "Sluice", "rate")
        others = [sampled(samples, group, work, peer, "rate")
                  for peer in samples.peers(group)
                  if not peer.startswith("Sluice") and peer not in but]
        others = [rates for rates in others if rates]
        return [mine / max(rates) for mine, *rates in zip(ours, *others)] \
            if others else []
    return values


def special(work, figure="value", peer="Sluice"):
    """This is what a function of special.py found out."""
    return lambda samples: sampled(samples, "special", work, peer, figure)


def peaks(samples):
    """The Python service's highest peak to Sluice's, over all S3 works."""
    found = {}
    for (group, _, peer), of in samples.of.items():
        if group in ("s3 uploads", "s3 downloads"):
            found.setdefault(peer, []).append(max(of["peak"]))
    if not {"Sluice to RGW", "Python service"} <= set(found):
        return []
    return [max(found["Sluice to RGW"]) / max(found["Python service"])]


GATE, PYTHON, PROXY, DIRECT = ("Sluice to RGW", "Python service",
                               "nginx, proxy to RGW", "RGW itself")


def through(what, work, other):
    return ratio(f"s3 {what}s", work, other, peer=GATE)


FIGURES = (
    Figure("download 1 GiB, 16 connections, to nginx with sendfile",
           ratio("downloads", "1 GiB x 16", "nginx"), least=0.95),
    Figure("download 50 MiB, 16 connections, to nginx with sendfile",
           ratio("downloads", "50 MiB x 16", "nginx"), least=0.95),
    Figure("download 4 KiB, 64 connections, to nginx static",
           ratio("downloads", "4 KiB x 64", "nginx"), least=0.6),
    Figure("upload 50 MiB, 16 connections, to nginx WebDAV PUT",
           ratio("uploads", "50 MiB x 16", "nginx"), least=0.8),
    Figure("the same with sync: false",
           ratio("uploads", "50 MiB x 16", "nginx",
                 peer="Sluice, sync: false")),
    Figure("upload 50 MiB, 16 connections, until the disk has them, to nginx "
           "and a sync", ratio("uploads, synced", "50 MiB x 16", "nginx")),
    Figure("upload 50 MiB, 16 connections, to the fastest other peer",
           to_best("uploads", "50 MiB x 16", but=("nginx",)), least=1),
    Figure("the same until the disk has them, to the fastest and a sync",
           to_best("uploads, synced", "50 MiB x 16")),
    Figure("durable uploads of 4 KiB, 64 connections, to one fsync a file, "
           "one file after the other", special("fsync"), least=5),
    Figure("the same to 64 threads that each fsync their files",
           special("fsync", "at_once")),
    Figure("CPU per GiB uploaded, to openssl dgst -md5 and a plain copy",
           special("basis"), most=1.25),
    Figure("through to RGW: 50 MiB uploads, 16 connections, to RGW itself",
           through("upload", "50 MiB x 16", DIRECT), least=0.8),
    Figure("the same of nginx as a proxy, which reads no form and makes no "
           "digest", ratio("s3 uploads", "50 MiB x 16", DIRECT, peer=PROXY)),
    Figure("50 MiB downloads, 16 connections, to RGW itself",
           through("download", "50 MiB x 16", DIRECT), least=0.9),
    Figure("the same of nginx as a proxy",
           ratio("s3 downloads", "50 MiB x 16", DIRECT, peer=PROXY)),
    Figure("4 KiB uploads, 8 connections, to RGW itself",
           through("upload", "4 KiB x 8", DIRECT), least=0.7),
    Figure("4 KiB downloads, 8 connections, to RGW itself",
           through("download", "4 KiB x 8", DIRECT), least=0.7),
    Figure("CPU of 50 MiB uploads, to openssl dgst -md5 and -sha256 and "
           "curl -T", special("through"), most=1.4),
    Figure("peak memory of 64 uploads of 50 MiB at once",
           special("through", "peak"), most=64, unit=" MiB"),
    Figure("CPU of 50 MiB downloads, 16 connections, to nginx's as a proxy",
           ratio("s3 downloads", "50 MiB x 16", PROXY, "cpu_gib", GATE),
           most=1.3),
    Figure("4 KiB uploads, 64 connections, to the Python service",
           through("upload", "4 KiB x 64", PYTHON), least=5),
    Figure("the same of RGW itself, which is the most there can be",
           ratio("s3 uploads", "4 KiB x 64", PYTHON, peer=DIRECT)),
    Figure("4 KiB downloads, 64 connections, to the Python service",
           through("download", "4 KiB x 64", PYTHON), least=5),
    Figure("the same of RGW itself, which is the most there can be",
           ratio("s3 downloads", "4 KiB x 64", PYTHON, peer=DIRECT)),
    Figure("1 MiB uploads, 64 connections, to the Python service",
           through("upload", "1 MiB x 64", PYTHON)),
    Figure("1 MiB downloads, 64 connections, to the Python service",
           through("download", "1 MiB x 64", PYTHON)),
    Figure("CPU of 4 KiB uploads, 64 connections: the Python service's to "
           "Sluice's", ratio("s3 uploads", "4 KiB x 64", PYTHON, "cpu_1000",
                             GATE, upside=True)),
    Figure("peak memory, to the Python service's", peaks, most=0.1),
    Figure("p50 of 100 of 1 000 000 keys to that of 100 of 1 000, worst "
           "depth of prefix", special("lists"), most=3),
    Figure("peak memory of the lists of 1 000 000, above that of 1 000",
           special("lists", "grown"), most=1, unit=" MiB"),
    Figure("10 000 idle kept connections, each after one request, made one "
           "after the other", special("idle"), most=6, unit=" KiB"),
    Figure("the same where all 10 000 made their request at once",
           special("idle", "at_once"), unit=" KiB"),
    Figure("4 KiB by PUT, 64 connections, to the same by form",
           special("put"), least=1),
    Figure("the same by processor time", special("put", "cpu")),
    Figure("1 000 keys deleted at once, to the time of one",
           special("many"), most=20),
    Figure("CPU of a 4 KiB download by a link, above a plain one's",
           special("link"), most=5, unit=" %"),
    Figure("copy of 1 GiB within local", special("copy"), unit=" s"),
    Figure("the same to copy_file_range(2) and fsync(2) by hand",
           special("copy", "to_plain")),
    Figure("p99 of 4 KiB downloads beside 16 large uploads, to alone",
           special("fairness"), most=4),
    Figure("the same of nginx", special("fairness", peer="nginx")),
    Figure("two workers to one (by requests a second from 4 cores on, else "
           "by the processor time of a request)", special("workers"),
           least=1.7),
    Figure("the same by requests a second", special("workers", "rates")),
)


def table(samples):
    """Prints the figures; how many don't hold."""
    failed = 0
    for figure in FIGURES:
        values = figure.values(samples)
        if values:
            failed += not figure.met(values)
            print(f"{figure.text[:76]:76} {statistics.median(values):8.2f}"
                  f"{figure.unit:4} {figure.limited():9} "
                  f"{figure.verdict(values).strip('*')}")
    return failed
