"""What becomes of items that definitions fail on: tried again, set aside, told why (promise K7)."""

from gateway.fhir.issues import Issue
from gateway.pipeline import limits
from gateway.pipeline.line import Batch
from gateway.pipeline.parse import patients
from gateway.pipeline.values import Failed, Item, Parked, Reason

DEATHS = 3
CONTENT_FAILURES = 5
_BACKOFF = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)


def pause(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row."""
    return _BACKOFF[min(failures, len(_BACKOFF) - 1)]


def orphan(item: Item) -> Parked:
    """Return an item whose feed or bytes are gone, parked with what to do."""
    if not item.lost:
        text = f"there is no feed {item.feed.name} any more; restore it, then retry"
    else:
        text = "its raw bytes are past retention, so it cannot be read again; digest, size and date are kept"
    return Parked(item, Reason.UNKNOWN_FEED, (Issue("error", "not-found", text),))


def killer(item: Item, deaths: int, patient_keys: tuple[str, ...] = ()) -> Parked:
    """Return an item that workers died of, parked."""
    text = f"{deaths} workers died while they had this message in hand; look at the feed's transforms, then retry"
    return Parked(item, Reason.POISON, (Issue("fatal", "exception", text),), patient_keys)


def failed(item: Item, fault: BaseException, now_us: int) -> Batch:
    """Return an item to be tried again with a growing pause; parked after five failures, three of limits."""
    told = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
    issues = (Issue("fatal", "exception", f"the definitions of feed {item.feed.name} failed with {told}"),)
    tries = DEATHS if isinstance(fault, limits.Overtime | MemoryError) else CONTENT_FAILURES
    if item.attempts + 1 >= tries:
        return Batch(parked=[Parked(item, Reason.POISON, issues, patients(item))])
    return Batch(failed=[Failed(item, now_us + int(pause(item.attempts) * 1_000_000), issues)])
