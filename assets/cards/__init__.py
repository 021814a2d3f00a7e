"""Character cards as files: V1, V2 and V3, in PNG, WebP, JPEG, JSON and CHARX. Nothing here knows a store."""
