"""The records of the losses, a module per family. None of them imports torch."""
