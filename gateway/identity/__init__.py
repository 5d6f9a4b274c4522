"""One person, one record: what Patients say of a person, who is the same, and how that is linked and undone."""
