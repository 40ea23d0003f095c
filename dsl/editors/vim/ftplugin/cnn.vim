" Vim filetype plugin
" Language: striate's .cnn files

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

" The canonical form of `striate fmt`: two blanks, lines of at most 120 columns.
setlocal expandtab shiftwidth=2 softtabstop=2 textwidth=120
setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal suffixesadd=.cnn
setlocal include=^\\s*use\\s\\+\"\\zs[^\"]\\+\\ze\"
setlocal define=^\\s*\\%(block\\\|model\\\|let\\)

" `%` goes between the parts of a choice (with matchit).
let b:match_words = '\<if\>:\<else\>'

let b:undo_ftplugin = 'setlocal expandtab< shiftwidth< softtabstop< textwidth< comments< commentstring<'
      \ . ' formatoptions< suffixesadd< include< define< | unlet! b:match_words'
