# SPDX-License-Identifier: MIT
"""Writes what was measured into docs/performance.md, between two markers (the
prose around them stays), and its plots into docs/performance/.
"""
import re
import statistics
from pathlib import Path

from . import plot
from .figures import FIGURES

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

SKELETON = f"""# Performance

How fast Sluice is, beside what one would take in its place. Everything
between two markers on this page was measured and written by one run of
`tests/bench/run` on one machine; nothing there is edited by hand.

{BEGIN}
{END}

## Measure it again

On a machine where nothing else runs, with Sluice built by configure's own
CFLAGS:

```
export SLUICE=build/sluice SLUICE_PLUGINS=build/plugins/backend/local/.libs:...
tests/bench/run --install          # everything, some two hours
tests/bench/run --quick            # a smoke test of some ten minutes
tests/bench/run --only uploads,s3  # see --help for the groups
```

Rates depend on the machine, on how busy it is, and on the disk. What a
request costs in instructions doesn't: `tests/bench/instructions` counts those
of ten kinds of request, compares them with `tests/bench/instructions.txt`, and
fails when one grew by more than 5 %. More about memory is measured by
`tests/bench/memory.py`, more about S3 by `tests/bench/s3.py`.
"""

# Group of samples: title, unequal work, what its plot shows.
GROUPS = {
    "uploads": ("Uploads to a folder", "upload"),
    "downloads": ("Downloads from a folder", "download"),
    "mixed": ("70 % downloads of 4 KiB, 20 % of 1 MiB, 10 % uploads of "
              "4 KiB, at a folder", None),
    "lists": ("List pages of a folder", None),
    "presign": ("Pre-signed links of a folder", None),
    "s3 uploads": ("Uploads to an S3 service (RGW)", "upload"),
    "s3 downloads": ("Downloads from an S3 service (RGW)", "download"),
    "s3 lists": ("List pages of an S3 service (RGW)", None),
    "s3 presign": ("Pre-signed links of an S3 service (RGW)", None),
}


def short(value):
    """Three digits."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def ranged(values):
    middle = statistics.median(values)
    return f"{short(middle)} ({short(min(values))}–{short(max(values))})"


def by_bytes(work):
    """Is its speed in MiB/s of interest, rather than requests a second?"""
    return bool(re.match(r"(1|50) (MiB|GiB)", work))


class Report:
    def __init__(self, samples, about):
        self.samples, self.about = samples, about

    # ---- tables

    def figures(self):
        rows = ["| work | measured | at least / at most | |",
                "|---|---|---|---|"]
        for figure in FIGURES:
            values = figure.values(self.samples)
            if not values:
                continue
            rows.append(f"| {figure.text} | {ranged(values)}{figure.unit} | "
                        f"{figure.limited()} | {figure.verdict(values)} |")
        return rows if len(rows) > 2 else []

    def row(self, group, work, peer):
        figures = self.samples.of[group, work, peer]
        large = by_bytes(work)
        errors = sum(figures["bad"] + figures["broken"])
        name = f"**{peer}**" if peer.startswith("Sluice") else peer
        if errors:
            asked = sum(figures["requests"])
            name += f" ({errors:.0f} of {asked:.0f} failed)"
        return " | ".join([
            f"| {work}", name,
            ranged(figures["speed" if large else "rate"]) +
            (" MiB/s" if large else " /s"),
            short(statistics.median(figures["p50"])),
            short(statistics.median(figures["p99"])),
            *self.costs(figures, large)]) + " |"

    @staticmethod
    def costs(figures, large):
        """Of a service that isn't ours to measure nothing is known."""
        if not any(figures["peak"]):
            return "–", "–"
        name, unit = (("cpu_gib", "GiB") if large else ("cpu_1000", "1000"))
        return (f"{short(statistics.median(figures[name]))} /{unit}",
                short(statistics.median(figures["peak"])))

    def table(self, group):
        of = self.samples.of
        rows = ["| work | | median (spread) | p50 ms | p99 ms | CPU s | "
                "peak MiB |", "|---|---|---|---|---|---|---|"]
        for work in self.samples.works(group):
            rows += [self.row(group, work, peer)
                     for peer in self.samples.peers(group)
                     if (group, work, peer) in of]
        return rows

    # ---- plots

    def pages(self):
        """p50 of a list's pages, by the depth of the prefix."""
        curves = {}
        for work in self.samples.works("lists"):
            for peer in self.samples.peers("lists"):
                if "," not in work and ("lists", work, peer) in \
                        self.samples.of:
                    curves.setdefault(peer, {})[str(work.count("/") + 1)] = (
                        self.samples.median("lists", work, peer, "p50"),
                        *self.samples.spread("lists", work, peer, "p50"))
        return [("A page of 100", "p50 in ms by the prefix's depth", curves)]

    def panels(self, group):
        """One for each size: rates by connections."""
        if group == "lists":
            yield from self.pages()
            return
        sizes = {}
        for work in self.samples.works(group):
            size, _, connections = work.rpartition("x ")
            sizes.setdefault(size.strip(), []).append((connections, work))
        for size, works in sizes.items():
            works.sort(key=lambda pair: int(pair[0]))
            large = by_bytes(size)
            figure = "speed" if large else "rate"
            curves = {}
            for peer in sorted(self.samples.peers(group), key=lambda peer:
                               not peer.startswith("Sluice")):
                curves[peer] = {
                    connections: (self.samples.median(group, work, peer,
                                                      figure),
                                  *self.samples.spread(group, work, peer,
                                                       figure))
                    for connections, work in works
                    if (group, work, peer) in self.samples.of}
            yield (size or "Requests", "MiB/s by connections" if large else
                   "requests a second by connections", curves)

    def curves_of_costs(self):
        """The works of the group `linear`: "what: amount"."""
        panels = {}
        for work in self.samples.works("linear"):
            what, _, amount = work.partition(": ")
            for (group, one, _), of in self.samples.of.items():
                if (group, one) != ("linear", work):
                    continue
                values = of["cost"]
                panels.setdefault(what, {})[amount] = (
                    statistics.median(values), min(values), max(values))
        return [(*what.split(" | "), {"Sluice": points})
                for what, points in panels.items()]

    # ---- the page

    def groups(self, folder):
        for group, (title, work) in GROUPS.items():
            if group not in self.samples.groups():
                continue
            name = group.replace(" ", "-") + ".svg"
            plot.plot(Path(folder, name), list(self.panels(group)))
            yield f"### {title}\n"
            yield f"![{title}](performance/{name})\n"
            for peer in self.samples.peers(group):
                said = self.about["unequal"].get(peer, {}).get(work)
                if said:
                    yield f"- {peer}: {said}."
            for text in self.about["skipped"].get(group, []):
                yield f"- {text}"
            yield from self.synced(group)
            yield "\n<details><summary>All figures</summary>\n"
            yield from self.table(group)
            yield "\n</details>\n"

    def synced(self, group):
        """Uploads with what it takes until the disk has them."""
        name = group + ", synced"
        for work in self.samples.works(name):
            said = [f"{peer} " + ranged(self.samples.of[name, work, peer]
                                        ["speed"])
                    for peer in self.samples.peers(name)]
            yield (f"- {work}, with a `sync` after it, MiB/s: "
                   f"{'; '.join(said)}.")

    def linear(self, folder):
        panels = self.curves_of_costs()
        if not panels:
            return
        plot.plot(Path(folder, "linear.svg"), panels)
        yield "### Costs grow with the work\n"
        yield "![Cost by amount of work](performance/linear.svg)\n"
        yield "| cost | amount | median (spread) |"
        yield "|---|---|---|"
        for title, unit, curves in panels:
            for amount, values in curves["Sluice"].items():
                yield (f"| {title}, {unit} | {amount} | {short(values[0])} "
                       f"({short(values[1])}–{short(values[2])}) |")
        yield ""

    def measured(self, folder):
        yield "## The machine and the programs\n"
        yield from (f"- {text}" for text in self.about["machine"])
        yield from (f"- {text}" for text in self.about.get("troubles", []))
        yield ""
        figures = self.figures()
        if figures:
            yield "## What is promised\n"
            yield from figures
            yield ""
        yield "## Beside others\n"
        yield ("Median and spread of the rounds; CPU seconds are those of "
               "the server's processes, peaks the sum over them. All files "
               "are in the page cache. Peers take turns, in another order "
               "each round, with the same client on the same machine.\n")
        yield from self.groups(folder)
        yield from self.linear(folder)

    def write(self, docs):
        folder = Path(docs, "performance")
        folder.mkdir(parents=True, exist_ok=True)
        page = Path(docs, "performance.md")
        text = page.read_text() if page.exists() else SKELETON
        before, _, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            raise RuntimeError(f"{page} has lost its markers {BEGIN} and "
                               f"{END}: put them back, or remove the page")
        middle = "\n".join(self.measured(folder)).rstrip("\n")
        page.write_text(f"{before}{BEGIN}\n\n{middle}\n\n{END}{after}")
        return page
