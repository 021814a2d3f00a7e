"""JSON documents and the file engine that the floors above stand on."""
