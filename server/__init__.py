"""HTTP, the command line and the wiring of the floors below."""
