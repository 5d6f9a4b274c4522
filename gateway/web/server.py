"""The web process: uvicorn around the application, without access lines that would show search values."""

import uvicorn

from gateway.web.app import Parts, create


def run_web(parts: Parts) -> None:
    """Serve until a signal comes."""
    server(parts).run()


def server(parts: Parts) -> uvicorn.Server:
    """Return the server, not yet running."""
    settings = parts.settings
    config = uvicorn.Config(
        create(parts),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level=settings.log_level,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)
