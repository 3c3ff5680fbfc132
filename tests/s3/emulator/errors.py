# SPDX-License-Identifier: MIT
"""S3's errors: what an operation raises, and the XML that a client sees."""
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


class S3Error(Exception):
    """`fields` become further elements of <Error>, `headers` go into the
    head of the answer; `close` ends the connection after it."""

    def __init__(self, status, code, message, fields=None, headers=None,
                 close=False):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.fields = dict(fields or {})
        self.headers = list((headers or {}).items())
        self.close = close


class Broken(Exception):
    """The connection ended, or is to end, without an answer."""

    def __init__(self, why, reset=False):
        super().__init__(why)
        self.reset = reset


def text(value):
    """A value as XML text.  Control characters that XML 1.0 forbids leave
    as references, which parsers refuse: S3 does the same."""
    plain = escape(str(value).encode("utf-8", "surrogateescape")
                   .decode("utf-8", "replace"), {'"': "&quot;"})
    return "".join(f"&#x{ord(c):X};" if ord(c) < 32 and c not in "\n\t"
                   else c for c in plain)


def element(name, content):
    return f"<{name}>{text(content)}</{name}>"


def document(name, *content, namespace=True):
    """A whole XML document as bytes; `content` is XML already."""
    attribute = f' xmlns="{NAMESPACE}"' if namespace else ""
    return (f"{DECLARATION}<{name}{attribute}>{''.join(content)}</{name}>"
            .encode())


def error_document(error, resource, request_id, host_id, namespace):
    fields = {"Code": error.code, "Message": error.message, **error.fields,
              "Resource": resource, "RequestId": request_id,
              "HostId": host_id}
    return document("Error", *(element(name, value)
                               for name, value in fields.items()),
                    namespace=namespace)
