"""Whether this gateway is alive, and whether it can do its work now."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response

from gateway import clock
from gateway.errors import GatewayError
from gateway.store.engine import Store

_STALE_SECONDS = 15.0


def router(store: Store, data: Path) -> APIRouter:
    """Return the routes /health/live and /health/ready."""
    routes = APIRouter(prefix="/health", tags=["health"])

    @routes.get("/live", summary="The process answers")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @routes.get("/ready", summary="Store, receiver and worker are at work", responses={503: {"description": "not yet"}})
    def ready(response: Response) -> dict[str, Any]:
        parts = {"store": store_state(store), "receive": _receiver(data), "worker": _worker(data)}
        good = all(state == "ready" for state in parts.values())
        response.status_code = 200 if good else 503
        return {"status": "ready" if good else "not ready", "parts": parts}

    return routes


def store_state(store: Store) -> str:
    """Return `ready`, or in a sentence why the store does not answer."""
    try:
        store.ping()
    except GatewayError as fault:
        return fault.text
    return "ready"


def _receiver(data: Path) -> str:
    numbers = snapshot(data / "receive.json")
    if not numbers or _old(numbers):
        return "the receive process is not running"
    if numbers.get("ready"):
        return "ready"
    shut = numbers.get("shut")
    reasons = [str(reason) for reason in shut.values()] if isinstance(shut, dict) else []
    return f"not reading: {', '.join(reasons) or 'it is starting or stopping'}"


def _worker(data: Path) -> str:
    beats = [snapshot(path) for path in data.glob("*.worker.json")]
    return "ready" if any(beat and not _old(beat) for beat in beats) else "no worker is running"


def snapshot(path: Path) -> dict[str, Any]:
    """Return the numbers another process wrote about itself; empty where there are none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _old(numbers: dict[str, Any]) -> bool:
    at_us = numbers.get("at_us", 0)
    return not isinstance(at_us, int) or clock.now_us() - at_us > _STALE_SECONDS * 1_000_000
