"""Bytes on disk: safe paths, durable writes, locks and the append log."""
