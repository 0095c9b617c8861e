"""The office PC's side of card readers (读卡机具): PC/SC, and the desk agent by which pages use a reader."""
