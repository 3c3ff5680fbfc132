# SPDX-License-Identifier: MIT
"""The differences between providers that are figures or words, no rules."""
from dataclasses import dataclass, field

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40
GB = 10 ** 9


@dataclass(frozen=True)
class Dialect:
    name: str
    region: str  # the default; empty: any
    server: str  # the header
    put_max: int
    copy_max: int
    part_max: int = 5 * GIB
    part_min: int = 5 * MIB
    versioned: bool = False
    variants: dict = field(default_factory=dict)


# Things that one provider is seen to do in more than one way; the
# first is the default.  "alternate" is one and the other in turn.  boto3
# finds no code in an <Error> that has a namespace, so give it xmlns="no".
EVERYWHERE = {"xmlns": ("alternate", "yes", "no"),
              "pages": ("short", "whole")}
SPACES = {"spaces": ("alternate", "plus", "percent")}

DIALECTS = {dialect.name: dialect for dialect in (
    Dialect("aws", "us-east-1", "AmazonS3", 5 * GIB, 5 * GIB,
            variants=EVERYWHERE | SPACES
            | {"encryption": ("none", "s3", "kms", "dsse", "customer",
                                       "silent")}),
    Dialect("minio", "", "MinIO", 5 * TIB, 5 * TIB,
            variants=EVERYWHERE | {"spaces": ("plus",)}),
    Dialect("r2", "auto", "cloudflare", 5 * GIB - 5 * MIB,
            5 * GIB - 5 * MIB,
            variants=EVERYWHERE | SPACES
            | {"overrides": ("honoured", "ignored")}),
    Dialect("b2", "us-west-004", "", 5 * GIB, 5 * GB, 5 * GB, 5 * 10 ** 6,
            versioned=True,
            variants=EVERYWHERE | SPACES
            | {"checksums": ("old", "new"), "keys": ("plain", "strict")}),
    Dialect("ceph", "us-east-1", "", 5 * GIB, 5 * GIB,
            variants=EVERYWHERE | {"spaces": ("percent",),
                                   "conditions": ("honoured", "ignored"),
                                   "tokens": ("sealed", "raw"),
                                   "trailers": ("accepted", "refused")}),
)}


class Variants:
    """The chosen ways; an alternating one is asked once per use."""

    def __init__(self, dialect, chosen):
        self.ways = {name: ways[0] for name, ways
                     in dialect.variants.items()}
        self.turns = {}
        for name, way in chosen.items():
            if way not in dialect.variants.get(name, ()):
                raise ValueError(f"{dialect.name} has no variant "
                                 f"{name}={way}")
            self.ways[name] = way

    def get(self, name, default=None):
        return self.ways.get(name, default)

    def turn(self, name):
        """Counts the uses: 0, 1, 2..."""
        self.turns[name] = self.turns.get(name, -1) + 1
        return self.turns[name]

    def choose(self, name, first, second):
        way = self.ways.get(name, first)
        if way == "alternate":
            return (first, second)[self.turn(name) % 2]
        return way
