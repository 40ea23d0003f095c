"""What editors and documentation tools use."""
