"""An oracle for the HL7 v2-to-FHIR guide, built from the guide's own tables and from nothing of the gateway."""
