"""`make bench`: how fast the product is, as ratios to what the same servers do bare."""
