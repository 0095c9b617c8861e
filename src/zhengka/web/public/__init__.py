"""Pages that need no login: a scanned card's state, the visitors' home, the files of the offline bundle."""
