"""From a graph to something that runs; one package per target."""
