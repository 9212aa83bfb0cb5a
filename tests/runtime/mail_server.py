"""A mail server as far as a notice needs one (RFC 5321), on loopback."""

import asyncio
import base64
import email
import email.policy
from email.message import EmailMessage
from typing import cast


class MailServer:
    """Takes every mail; `refuses` is what it answers to RCPT instead, `password` what it wants by AUTH PLAIN."""

    def __init__(self, password: str = "") -> None:
        self.password, self.refuses = password, ""
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "MailServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        known = not self.password
        while line := (await reader.readline()).decode().strip():
            verb = line.upper().split(" ")[0]
            if verb == "EHLO":
                writer.write(b"250-mail.test\r\n250 AUTH PLAIN\r\n")
            elif verb == "AUTH":
                known = base64.b64decode(line.split(" ")[2]) == f"\0us\0{self.password}".encode()
                writer.write(b"235 good\r\n" if known else b"535 bad password\r\n")
            elif verb == "RCPT":
                self.recipients.append(line)
                writer.write(self.refuses.encode() if self.refuses else b"250 good\r\n")
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                text = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
                self.mails.append(cast(EmailMessage, email.message_from_bytes(text, policy=email.policy.default)))
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
            else:
                writer.write(b"250 good\r\n" if known else b"530 who are you\r\n")
        writer.close()
