"""The training engine: recipes, data, the loop (on Lightning), run folders, reports."""
