"""``python -m spice_client URI FILE``: a screenshot of a SPICE server's display."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from spice_client.errors import SpiceClientError
from spice_client.screenshot import screenshot
from spice_client.tls import TlsTrust
from spice_protocol.errors import ProtocolError


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m spice_client",
        description="Save what a SPICE server's display shows.",
        epilog="Exit codes: 0 a picture was written, 1 it was not, 2 wrong usage.",
    )
    result.add_argument(
        "uri",
        help="spice://host:port, spice://host?port=..&tls-port=.., "
        "spice+tls://host:port or spice+unix:///path",
    )
    result.add_argument("file", type=Path, help="picture to write: .png or .ppm")
    result.add_argument("--password", help="the ticket; others on this host can see it")
    result.add_argument(
        "--password-file", type=Path, help="file whose first line is the ticket"
    )
    result.add_argument("--ca-file", type=Path, help="PEM certificates to trust")
    result.add_argument(
        "--host-subject", help="subject of the certificate, such as O=Example,CN=host"
    )
    result.add_argument("--insecure", action="store_true", help="trust any certificate")
    result.add_argument(
        "--display", type=int, default=0, metavar="ID", help="display to save [0]"
    )
    result.add_argument(
        "--timeout", type=float, default=20.0, metavar="S", help="seconds to wait [20]"
    )
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parser().parse_args(arguments)
    trust = TlsTrust(options.ca_file, options.host_subject, options.insecure)
    try:
        password = options.password
        if options.password_file is not None:
            password = options.password_file.read_text().partition("\n")[0]
        picture = asyncio.run(
            screenshot(
                options.uri,
                options.file,
                password=password,
                trust=trust,
                display_id=options.display,
                timeout_s=options.timeout,
            )
        )
    except (SpiceClientError, ProtocolError, OSError) as error:
        sys.stderr.write(f"spice_client: {error}\n")
        return 1
    sys.stdout.write(f"{options.file}: {picture.width} x {picture.height}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
