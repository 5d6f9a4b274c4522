"""FHIR search as values; knows no SQL."""
