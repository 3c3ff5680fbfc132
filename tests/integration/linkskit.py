# SPDX-License-Identifier: MIT
"""Links as clients ask for them and follow them, for test_links*.py."""
import json
from urllib.parse import urlsplit

from guards import JSON
from kit import among, equal

KEY, DATA = "t/a.txt", bytes(range(256)) * 40


def target(url):
    where = urlsplit(url)
    return f"{where.path}?{where.query}"


def put(gateway, key=KEY, data=DATA, *lines):
    among("status", gateway.ask("PUT", f"/files/object?key={key}", *lines,
                                body=data).status, (200, 201))


def asked(gateway, lines=(), **document):
    return gateway.ask("POST", "/files/presign", JSON, *lines,
                       body=to_json(document))


def to_json(document):
    return json.dumps(document).encode()


def link(gateway, lines=(), **document):
    answer = asked(gateway, lines, via="gateway", **document)
    equal("status of presign", (answer.status, answer.error), (200, None))
    return answer.json


def revoke(gateway, lines=(), **document):
    return gateway.ask("DELETE", "/files/links", JSON, *lines,
                       body=to_json(document))


def code(answer):
    return answer.json["code"] if answer.status >= 400 else None


def gone(gateway, url, method="GET", **more):
    answer = gateway.ask(method, target(url), **more)
    equal("status, code", (answer.status, code(answer)),
          (403, "link_revoked"))
