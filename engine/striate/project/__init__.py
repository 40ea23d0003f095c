"""A file together with the others that it needs: `use` statements, and the plugins that it requires."""
