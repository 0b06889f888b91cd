"""Web pages may not call the local stack: it runs programs, and any page that somebody opens can send requests to it.

LocalStack itself looks at the origin of most calls, but not of S3's and the APIs', and never at ``Host``, so that a
name which leads here (DNS rebinding) would pass. Browsers set these headers, and no page can change them; other
programs send neither ``Origin`` nor ``Sec-Fetch-Site``.
"""

import ipaddress
import logging
from urllib.parse import urlsplit

LOG = logging.getLogger(__name__)

# Names that only ever lead to this machine, or that nobody else can have lead here.
LOCAL_NAMES = ("localhost", "localhost.localstack.cloud", "amazonaws.com", "amazonaws.com.cn")


def guard(gateway) -> None:
    """Puts the check before everything else that handles a request."""
    gateway.request_handlers.insert(0, refuse_pages)


def refuse_pages(chain, context, response) -> None:
    reason = foreign(context.request.headers)
    if reason:
        LOG.warning("refused a web page's request of %s: it is %s", context.request.path, reason)
        response.status_code = 403
        response.data = f"The local stack takes no request {reason}.\n".encode()
        chain.terminate()


def foreign(headers) -> str | None:
    """Why a request is a foreign page's; none if it isn't."""
    host = headers.get("Host")
    if host is not None and not _is_local(f"//{host}"):
        return "whose Host is not this machine's"
    origin = headers.get("Origin")
    # A page without an origin of its own sends `null`.
    if origin is not None and not ("://" in origin and _is_local(origin)):
        return "of a web page from elsewhere"
    if headers.get("Sec-Fetch-Site") == "cross-site":
        return "of a web page from elsewhere"
    return None


def _is_local(url: str) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return any(name == local or name.endswith(f".{local}") for local in LOCAL_NAMES)
