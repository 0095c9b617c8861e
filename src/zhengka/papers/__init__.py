"""Papers (材料): what people bring, papers and portraits: read with care, checked, kept sealed."""
