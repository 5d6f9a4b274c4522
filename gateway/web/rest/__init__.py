"""FHIR REST: one file per interaction, behind one thin ASGI door."""
