" Vim indent file
" Language: striate's .cnn files
" The indentation of `striate fmt`: two blanks for each open bracket, and for a line that goes on with `->`, unless a
" closing brace or another such line stands above it.

if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=GetCnnIndent(v:lnum)
setlocal indentkeys=0{,0},0),0],!^F,o,O,e,0<->>
setlocal nosmartindent autoindent
let b:undo_indent = 'setlocal indentexpr< indentkeys< smartindent< autoindent<'

if exists('*GetCnnIndent')
  finish
endif

let s:skip = "synIDattr(synID(line('.'), col('.'), 0), 'name') =~# 'cnn\\%(Comment\\|Text\\|Message\\|Allow\\|Todo\\|Escape\\|Placeholder\\)'"

" The innermost bracket that is open where a line begins: its line and column, 0 where there is none.
function! s:Opener(lnum) abort
  call cursor(a:lnum, 1)
  return searchpairpos('[({[]', '', '[])}]', 'bnW', s:skip)
endfunction

function! s:IsList(opener) abort
  return a:opener[0] > 0 && getline(a:opener[0])[a:opener[1] - 1] =~# '[([]'
endfunction

" The line on which the statement (or the step behind `->`) of a line begins: outside of round and square brackets.
function! s:Start(lnum) abort
  let lnum = a:lnum
  let opener = s:Opener(lnum)
  while s:IsList(opener)
    let lnum = opener[0]
    let opener = s:Opener(lnum)
  endwhile
  return lnum
endfunction

" The line without its comment and the blanks at its end.
function! s:Code(lnum) abort
  let text = getline(a:lnum)
  let at = match(text, '#')
  while at != -1
    if synIDattr(synID(a:lnum, at + 1, 0), 'name') =~# 'cnn\%(Comment\|Todo\)'
      return substitute(strpart(text, 0, at), '\s*$', '', '')
    endif
    let at = match(text, '#', at + 1)
  endwhile
  return substitute(text, '\s*$', '', '')
endfunction

" The nearest line with code before or behind a line, 0 where there is none.
function! s:Neighbour(lnum, step) abort
  let lnum = a:lnum + a:step
  while lnum > 0 && lnum <= line('$') && s:Code(lnum) =~# '^\s*$'
    let lnum += a:step
  endwhile
  return lnum <= line('$') ? lnum : 0
endfunction

function! GetCnnIndent(lnum) abort
  let text = getline(a:lnum)
  if text =~# '^\s*#'
    let following = s:Neighbour(a:lnum, 1)
    let text = following && getline(following) =~# '^\s*->' ? '->' : text
  endif
  let opener = s:Opener(a:lnum)
  if s:IsList(opener)
    return s:InList(opener, text)
  endif
  let outer = opener[0] ? indent(s:Start(opener[0])) : -shiftwidth()
  if text =~# '^\s*}'
    return outer
  endif
  let before = s:Neighbour(a:lnum, -1)
  if before > opener[0] && (text =~# '^\s*->' || s:Code(before) =~# '->$')
    return s:GoingOn(before, outer + shiftwidth())
  endif
  return outer + shiftwidth()
endfunction

" Below the first item if that stands behind the bracket; otherwise one level in, and the closing bracket is not.
function! s:InList(opener, text) abort
  let behind = strpart(s:Code(a:opener[0]), a:opener[1])
  if behind !~# '^\s*$'
    let column = a:opener[1] + len(matchstr(behind, '^\s*')) + 1
    return virtcol([a:opener[0], column]) - 1
  endif
  let outer = indent(a:opener[0])
  return a:text =~# '^\s*[])]' ? outer : outer + shiftwidth()
endfunction

" A line that goes on from the one before: one level in, but right below a closing brace of its own or another `->`.
function! s:GoingOn(before, level) abort
  let start = s:Start(a:before)
  let below = s:Code(a:before) =~# '^\s*}$' || getline(start) =~# '^\s*->' || s:Code(s:Neighbour(start, -1)) =~# '->$'
  return below ? indent(start) : a:level + shiftwidth()
endfunction
