"""The life of a batch, broken at seeded points, and its balance drawn afterwards."""
