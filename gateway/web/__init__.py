"""The only importer of FastAPI: HTTP in and out."""
