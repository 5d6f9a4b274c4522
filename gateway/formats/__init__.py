"""Bytes to located fields and back; knows no FHIR."""
