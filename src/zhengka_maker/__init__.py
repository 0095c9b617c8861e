"""The card maker's stand-in (制卡商替身): makes software cards from a package and signs what became of each."""
