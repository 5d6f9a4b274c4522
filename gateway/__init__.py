"""Yigong Gateway (医共体互联互通网关): hospital feeds in, one FHIR R4 record out."""

__version__ = "0.1.0"
