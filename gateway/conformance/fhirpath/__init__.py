"""FHIRPath for invariants: expressions compiled to closures over typed elements, every step counted."""
