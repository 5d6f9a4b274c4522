"""A county in a box: invented residents and what the systems of their clinics would send, the same bytes for a seed."""

from gateway.simulate.county import START, Written, simulate

__all__ = ["START", "Written", "simulate"]
