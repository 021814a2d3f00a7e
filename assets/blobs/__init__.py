"""Where payloads lie: one contract, a folder and a memory that keep it."""
