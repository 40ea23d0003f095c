"""Networks as kernels of Triton: groups of layers become readable source, specialised to their sizes."""
