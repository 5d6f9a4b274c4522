"""What FHIR R4 is: values, texts, dates and issues; no I/O."""
