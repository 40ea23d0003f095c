"""The plugin host: hook specifications, records, loading and the catalogue of everything that has a name."""
