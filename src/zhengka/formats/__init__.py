"""Bytes and numbers of the standards: pure functions that know no database and no Django."""
