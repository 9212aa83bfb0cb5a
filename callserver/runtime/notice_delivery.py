"""How a notice reaches people: a POST of JSON to a webhook, or a mail by the configured server. It blocks; see `notices`."""

import email.policy
import http.client
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import msgspec

from callserver.config import Config, ConfigError, mail_password
from callserver.core.effects import Notify
from callserver.runtime.notices import NotTold

TIMEOUT_S = 5.0
LINE = 200  # letters of a subject


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is sent elsewhere would arrive as a GET without its body."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Delivery:
    """Delivers by the configuration. `utc_ns` is the present."""

    def __init__(self, config: Config, utc_ns: Callable[[], int]) -> None:
        self._config, self._utc_ns = config, utc_ns
        proxies = urllib.request.ProxyHandler({})
        secure = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        self._opener = urllib.request.build_opener(proxies, secure, _NoRedirect)

    def __call__(self, order: Notify) -> None:
        """Tell it. Raises NotTold."""
        if order.notice.url:
            self._post(order)
        else:
            self._mail(order)

    def _at(self) -> str:
        return datetime.fromtimestamp(self._utc_ns() // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")

    # ---- webhook ----------------------------------------------------------------------------------------------

    def _post(self, order: Notify) -> None:
        told = {
            "id": order.id,
            "notice": order.notice.id,
            "incident": order.incident,
            "point": order.point,
            "place": order.place,
            "text": order.text,
            "at": self._at(),
        }
        headers = {"Content-Type": "application/json", "User-Agent": "callserver", "Idempotency-Key": order.id}
        if not order.notice.url.startswith(("http://", "https://")):
            raise NotTold("its address is neither http nor https")
        request = urllib.request.Request(order.notice.url, msgspec.json.encode(told), headers, method="POST")
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                status = int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotTold(f"the webhook answered {error.code}") from error
        except urllib.error.URLError as error:
            raise NotTold(f"the webhook cannot be reached: {_plain(error.reason)}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotTold(f"the webhook failed: {_plain(error)}") from error
        if not 200 <= status < 300:
            raise NotTold(f"the webhook answered {status}")

    # ---- mail -------------------------------------------------------------------------------------------------

    def _mail(self, order: Notify) -> None:
        mail = self._config.mail
        if not mail.host:
            raise NotTold("no mail server is configured: [mail] host")
        try:
            message = self._message(order)
            with self._connected() as server:
                if mail.user:
                    server.login(mail.user, mail_password(self._config))
                server.send_message(message)
        except smtplib.SMTPException as error:
            raise NotTold(f"the mail server refused: {_plain(error)}") from error
        except OSError as error:
            raise NotTold(f"the mail server cannot be reached: {_plain(error)}") from error
        except ConfigError as error:
            raise NotTold(str(error)) from error
        except ValueError as error:
            raise NotTold(f"no mail can be made of this: {_plain(error)}") from error

    def _connected(self) -> smtplib.SMTP:
        mail = self._config.mail
        if mail.security == "tls":
            return smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
        if mail.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except (OSError, smtplib.SMTPException):
                server.close()
                raise
        return server

    def _message(self, order: Notify) -> EmailMessage:
        message = EmailMessage(email.policy.SMTP)
        message["From"] = self._config.mail.sender
        message["To"] = order.notice.to
        message["Subject"] = _one_line(f"{order.place}: {order.text}")
        message["Message-ID"] = f"<{order.id}@{self._config.sip.domain}>"
        message["Date"] = datetime.fromtimestamp(self._utc_ns() // 1_000_000_000, UTC)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notes in reply
        message.set_content(
            f"{order.text}\n\nPlace: {order.place}\nPoint: {order.point}\nIncident: {order.incident}\nAt: {self._at()}\n"
        )
        return message


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LINE]


def _plain(error: object) -> str:
    return _one_line(str(error) or type(error).__name__)
