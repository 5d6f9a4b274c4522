"""The feeds of the fault tests: one that knows every sender, as `generic` does."""

from gateway.mapping.feeds import Feed, FeedBook


def book() -> FeedBook:
    """Return a book whose only feed takes any sender and any MSH-11."""
    return FeedBook([Feed("faults", "county", match={"listener": ("*",)}, test_traffic="real")])
