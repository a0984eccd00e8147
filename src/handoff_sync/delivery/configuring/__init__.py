"""A workspace as one file: read, compared with what is stored, applied, and written."""
