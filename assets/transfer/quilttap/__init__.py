"""The original application's folders, both generations of their layout."""
