"""Character cards as characters: bringing them in, one or many, and taking them out again."""
