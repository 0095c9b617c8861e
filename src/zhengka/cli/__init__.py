"""The `zhengka` command: one sub-command per operator's job."""
