"""Where a document lives: one small contract and its backends."""
