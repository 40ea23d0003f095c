"""Networks that `torch.export` has written down: graphs of ATen operators, read as layers of the language."""
