"""Programs ask here: JSON over HTTP, described by OpenAPI, every "no" as problem+json (RFC 9457)."""
