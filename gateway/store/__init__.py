"""The only importer of SQLAlchemy: what is kept, and how it is found."""
