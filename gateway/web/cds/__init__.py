"""Decision support while a doctor orders: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/)."""
