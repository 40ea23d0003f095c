"""What differs between two networks, as data: layers, costs, weights, inputs, recipes. How it looks is `view`'s."""
