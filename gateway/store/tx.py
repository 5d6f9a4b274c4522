"""What every transaction has: a session and the interned names."""

from gateway.store.dialect import Session
from gateway.store.names import Interning, Names


class Tx:
    """The base of the store's transactions; `session` is for the modules of the store only."""

    def __init__(self, session: Session, names: Names) -> None:
        self.session = session
        self.names = Interning(session, names)
