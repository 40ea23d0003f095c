-- The language server of striate for Neovim 0.11 and later: `vim.lsp.enable("striate")`.
return {
  cmd = { "striate", "lsp" },
  filetypes = { "cnn" },
  root_markers = { "striate.toml", "pyproject.toml", ".git" },
}
