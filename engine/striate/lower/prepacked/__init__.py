"""Networks in evaluation by oneDNN: convolutions with packed kernels, and what follows in the same call."""
