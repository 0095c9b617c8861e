"""The pages: staff (officers), public (scan result), ui (base and components)."""
