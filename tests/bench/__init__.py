"""Speed and memory, as ratios to a floor measured in the same run. Figures are printed, never asserted."""
