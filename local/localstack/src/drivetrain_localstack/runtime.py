"""LocalStack's own process: it listens only where it is configured to, and it ends when it is told to.

Without this, LocalStack uses only the port of an IPv4 address in ``GATEWAY_LISTEN`` and listens on every interface; if
the port is taken, it starts as if nothing had happened; and a service that is first used during shutdown leaves a
thread that keeps the process alive forever.
"""

import os
import sys


def apply_patches() -> None:
    from localstack.aws.serving.twisted import TLSMultiplexerFactory
    from localstack.runtime.runtime import LocalstackRuntime
    from localstack.runtime.server.twisted import TwistedRuntimeServer
    from localstack.utils.patch import patch
    from rolo.serving.twisted import TwistedGateway
    from twisted.internet import reactor, ssl
    from twisted.internet.error import CannotListenError

    from drivetrain_localstack import browsers

    @patch(TwistedRuntimeServer.register, pass_target=False)
    def register(self, gateway, listen, ssl_creds=None) -> None:
        browsers.guard(gateway)
        factory = TwistedGateway(gateway)
        if ssl_creds:
            certificate_file, key_file = ssl_creds
            context_factory = ssl.DefaultOpenSSLContextFactory(key_file, certificate_file)
            context_factory.getContext().use_certificate_chain_file(certificate_file)
            factory = TLSMultiplexerFactory(context_factory, False, factory)
        for address in listen:
            try:
                reactor.listenTCP(address.port, factory, interface=address.host)
            except CannotListenError as error:
                raise SystemExit(
                    f"LocalStack cannot listen on {address.host}:{address.port}: {error.socketError}. "
                    "Stop what uses the port or choose another with GATEWAY_LISTEN."
                ) from error

    @patch(LocalstackRuntime._on_return)
    def _on_return(fn, self) -> None:
        fn(self)
        if sys.exc_info()[0] is None:
            # Everything is stopped and cleaned up, so no thread has anything left to do.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.exit_code)
