"""Tests of the core, of the documents and of the repository itself."""
