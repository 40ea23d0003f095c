"""Why sizes do not fit and what would make them fit: found by following them back, and tried before it is proposed."""
