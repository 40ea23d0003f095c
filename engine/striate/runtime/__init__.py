"""The trained network on disk: checkpoints, and writing files so that no crash can spoil them."""
