# SPDX-License-Identifier: MIT
"""Sends streams, many at a time, each from an address of its own below
127.0.0.0/8: by it a server's log tells whose a request was."""
import asyncio

from kit import PATIENCE

AT_ONCE = 32


def address(number):
    """One for each number below four million; 127.0.0.1 is nobody's."""
    number += 1 << 16
    return (f"127.{number // 63504 + 1}.{number // 252 % 252 + 1}."
            f"{number % 252 + 1}")


class Sent:
    """The bytes that came back on a connection, and whether it came to its end
    though the client hadn't said that nothing more comes."""

    def __init__(self):
        self.input, self.alone = b"", False
        self.answers = 0  # over HTTP/2


async def until_end(reader, sent, seconds):
    """Reads on; False where nothing came for so long."""
    try:
        while data := await asyncio.wait_for(reader.read(1 << 16), seconds):
            sent.input += data
    except TimeoutError:
        return False
    except OSError:
        pass  # it was reset
    return True


async def send(port, data, source, *, tls=None, quiet=None):
    """Without `quiet` the client says at once that nothing more comes.  With
    it the client leaves once nothing was said to it for so many seconds, as
    fronts give up for one that seems to go."""
    sent = Sent()
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(source, 0), ssl=tls,
            server_hostname="localhost" if tls else None)
    except OSError:
        return sent
    try:
        writer.write(data)
        await writer.drain()
        if quiet is None:
            writer.write_eof()
            await until_end(reader, sent, 2 * PATIENCE)
        else:
            sent.alone = await until_end(reader, sent, quiet)
    except OSError:
        pass  # nobody reads any more
    finally:
        writer.transport.abort()
    return sent


async def each_of(streams, one):
    """The results of `one(number, stream)` for each, in their order."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def bounded(number, stream):
        async with gate:
            return await one(number, stream)
    return await asyncio.gather(*(bounded(number, stream) for number, stream
                                  in enumerate(streams)))


def send_all(port, streams, **options):
    async def one(number, stream):
        return await send(port, stream.data, address(number), **options)
    return asyncio.run(each_of(streams, one))
