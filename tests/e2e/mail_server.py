"""Mail servers: one that keeps what it gets (aiosmtpd), and one that misbehaves in the way a test says."""

import asyncio
import contextlib
import email
import email.policy
import random
import socket
import threading

from aiosmtpd.controller import Controller


class Keeper:
    """Takes every mail, slowly if asked, and keeps it."""

    def __init__(self, port=0, seed=1, slow=0.0):
        self.mails = []
        self.recipients = []
        self.lock = threading.Lock()
        self.chance = random.Random(seed)
        self.slow = slow
        self.controller = Controller(self, hostname="127.0.0.1", port=port or _free_port())

    async def handle_DATA(self, server, session, envelope):
        # Before and after: so that a sender that dies finds the mail sometimes taken and sometimes not.
        await asyncio.sleep(self.chance.uniform(0, self.slow))
        with self.lock:
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            self.recipients.append(list(envelope.rcpt_tos))
        await asyncio.sleep(self.chance.uniform(0, self.slow))
        return "250 kept"

    @property
    def port(self):
        return self.controller.port

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.port}"

    def ids(self):
        with self.lock:
            return [mail["Message-ID"].strip().strip("<>") for mail in self.mails]

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Manners:
    """How the misbehaving server behaves; everything here is good manners. Each is told the number of the connection, from 0.

    An answer of None closes the connection, HANG keeps silent until the other side or the test ends it.
    """

    def greeting(self, connection):
        return "220 test ESMTP"

    def recipient(self, connection, address):
        return "250 fine"

    def halfway(self, connection):
        """Asked after the first line of content."""
        return "go on"

    def content(self, connection):
        """The answer to the final dot."""
        return "250 kept"


HANG = object()


class Misbehaving:
    """A mail server in plain sockets, which does what its manners say. Keeps the ids of mails it answered 250 to."""

    def __init__(self, manners=None, port=0):
        self.manners = manners or Manners()
        self.kept = []
        self.taken = []
        self.connections = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        # Threads that wait in accept or read hold a socket open beyond its close; a shutdown wakes them.
        for end in [self.listener, *self.open]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.accepting.join(timeout=10)

    def _accept(self):
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                number = self.connections
                self.connections += 1
                self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines, number)
        except (OSError, ValueError):
            return

    def _say(self, connection, answer):
        """False when the connection is to be closed."""
        if answer is HANG:
            self.ended.wait()
            return False
        if answer is None:
            return False
        connection.sendall(answer.encode() + b"\r\n")
        return True

    def _talk(self, connection, lines, number):
        if not self._say(connection, self.manners.greeting(number)):
            return
        for line in lines:
            word = line[:4].upper()
            if word == b"DATA":
                if not self._say(connection, "354 go ahead") or not self._content(connection, lines, number):
                    return
                continue
            if word == b"RCPT":
                answer = self.manners.recipient(number, line.decode(errors="replace"))
            elif word == b"QUIT":
                self._say(connection, "221 bye")
                return
            else:
                answer = "250 fine"
            if not self._say(connection, answer):
                return

    def _content(self, connection, lines, number):
        content = [lines.readline()]
        if self.manners.halfway(number) is None:
            # A reset, so that the sender sees it at once whatever it has in its buffers.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            return False
        while content[-1] not in (b".\r\n", b""):
            content.append(lines.readline())
        if content[-1] == b"":
            return False
        mail = email.message_from_bytes(b"".join(content[:-1]), policy=email.policy.default)
        name = mail["Message-ID"].strip().strip("<>")
        with self.lock:
            self.taken.append(name)
        answer = self.manners.content(number)
        if isinstance(answer, str) and answer.startswith("250"):
            with self.lock:
                self.kept.append(name)
        return self._say(connection, answer)
