"""The specifications of the hooks, by what they are about. Their texts are the pages of `docs/hooks.md`."""
