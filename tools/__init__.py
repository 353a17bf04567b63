"""What developers run: checks, catalogues, vendored files."""
