" Vim syntax file
" Language: striate's .cnn files
" Colours words where they are keywords: where a statement begins. Layers are plain names; plugins bring their own.

if exists('b:current_syntax')
  finish
endif

let s:cpo_save = &cpo
set cpo&vim

syntax case match
syntax sync minlines=200

" The words of the language, made by `python -m striate.editor.grammars`:
let s:bringing_in = 'language\|requires\|use'
let s:choices = 'CRD\|DCR\|add\|all\|area\|average\|bgr\|bicubic\|bilinear\|border\|channels\|circular\|concatenation\|constant\|depth\|dot\|eight\|embedded\|entries\|exact\|four\|gaussian\|gelu\|grey\|he_normal\|he_uniform\|height\|last\|layer\|lecun_normal\|lecun_uniform\|length\|linear\|magnitude\|maximum\|mean\|minimum\|mul\|nearest\|none\|ones\|onnx\|plain\|reflect\|reflection\|relu\|replace\|replicate\|rgb\|rows\|sequence\|shared\|sigmoid\|silu\|space\|spectral\|standardised\|sum\|symmetric\|tanh\|torch\|trilinear\|width\|x\|xavier_normal\|xavier_uniform\|y\|zeros'
let s:conditions = 'else\|if'
let s:constants = 'false\|true'
let s:defining = 'block\|model'
let s:functions = 'abs\|ceil\|floor\|len\|log2\|max\|min\|round'
let s:logical = 'and\|not\|or'
let s:loops = 'for\|repeat'
let s:paddings = 'half\|same\|valid'
let s:reserved = 'and\|as\|assert\|else\|false\|for\|if\|in\|not\|or\|repeat\|true'
let s:sections = 'export\|profile\|search\|train'
let s:totals = 'macs\|out\|params\|receptive_field'
" End of the words.

" Where a statement may begin, names, and names joined by dots.
let s:start = '\%(\%(^\|[;{]\)\s*\)\@<='
let s:name = '\<\h\w*\>'
let s:word = '\<\%(\%(' . s:reserved . '\)\>\)\@!\h\w*\>'
let s:path = s:word . '\%(\s*\.\s*' . s:name . '\)*'

syntax cluster cnnExpression contains=cnnComment,cnnText,cnnNumber,cnnOperator,cnnAs,cnnCurrent,cnnLogical,cnnConstant,cnnCondition,cnnLoop,cnnFunction,cnnChoice,cnnCall,cnnProperty,cnnArgument,cnnBrackets
syntax cluster cnnStatement contains=@cnnExpression,cnnSection,cnnImport,cnnDefine,cnnInput,cnnOutput,cnnHead,cnnLet,cnnAssert,cnnBlock,cnnFlow,cnnStep,cnnLoopHead

" Plain pieces. What is defined later wins where two begin at one place.
exe 'syntax match cnnName "' . s:name . '" transparent contains=NONE'
exe 'syntax match cnnModel "' . s:name . '" contained'
syntax match cnnOperator "->\|\.\.\|//\|[=!<>]=\|[-+*/%<>=]"
exe 'syntax match cnnCall "' . s:path . '\%(\s*[({]\)\@=" contained'
exe 'syntax match cnnFunction "\<\%(' . s:functions . '\)\>\%(\s*(\)\@="'
exe 'syntax match cnnChoice "\<\%(' . s:paddings . '\|' . s:choices . '\)\>\%(\s*[.=(]\)\@!"'
exe 'syntax match cnnConstant "\<\%(' . s:constants . '\)\>"'
exe 'syntax match cnnLogical "\<\%(' . s:logical . '\)\>"'
exe 'syntax match cnnCondition "\<\%(' . s:conditions . '\)\>"'
exe 'syntax match cnnLoop "\<\%(' . s:loops . '\)\>"'
syntax match cnnCurrent "\<in\>"
exe 'syntax match cnnAs "\<as\>" nextgroup=cnnNamed skipwhite'
exe 'syntax match cnnNamed "' . s:name . '" contained'
syntax match cnnNumber "\<\d[0-9_]*\%(\.\d[0-9_]*\)\=\%([eE][+-]\=\d\+\|[kMG]\)\=\%(\w\|\.\d\)\@!"
exe 'syntax match cnnArgument "' . s:name . '\%(\s*=\%([^=]\|$\)\)\@="'
exe 'syntax match cnnProperty "\%(\.\@<!\.\s*\)\@<=' . s:name . '"'

" What opens a statement.
exe 'syntax match cnnStep "\%(->\s*\)\@<=' . s:path . '"'
exe 'syntax match cnnFlow "' . s:start . s:path . '\%(\s*->\)\@="'
exe 'syntax match cnnImport "' . s:start . '\%(' . s:bringing_in . '\)\>\%(\s*["0-9a-zA-Z_]\)\@=" nextgroup=cnnVersion skipwhite'
exe 'syntax match cnnImport "' . s:start . 'requires\>\s\@=" nextgroup=cnnRequired skipwhite'
exe 'syntax match cnnRequired "' . s:path . '\s*\%([=!<>]=\|[<>]\)\=" contained contains=cnnOperator nextgroup=cnnVersion skipwhite'
syntax match cnnVersion "\<\d[0-9A-Za-z_.]*" contained
exe 'syntax match cnnDefine "' . s:start . '\%(' . s:defining . '\)\>\%(\s\+\h\)\@=" nextgroup=cnnDefined skipwhite'
exe 'syntax match cnnDefined "' . s:name . '" contained'
exe 'syntax match cnnOutput "' . s:start . 'output\>\%(\s*\%($\|[;}#]\)\|\s\+\h\)\@="'
exe 'syntax match cnnHead "' . s:start . 'head\>\%(\s\+\h\)\@="'
exe 'syntax match cnnLet "' . s:start . 'let\>\%(\s*\%($\|[=;}]\)\|\s\+\h\)\@=" nextgroup=cnnNamed skipwhite'
exe 'syntax region cnnAssert matchgroup=cnnAssertWord start="' . s:start . 'assert\>" end="[;}]\@=" end="$" keepend contains=@cnnExpression,cnnTotal,cnnMessage'
exe 'syntax match cnnTotal "\<\%(' . s:totals . '\)\>\%(\s*[=(]\)\@!" contained'

" `in` between a loop's name and its list, and conditions: the brace behind them belongs to the statement.
exe 'syntax region cnnLoopHead matchgroup=cnnLoop start="' . s:start . '\%(' . s:loops . '\)\>" end="[{;}]\@=" end="$" keepend contains=@cnnExpression,cnnIn'
syntax match cnnIn "\<in\>\%(\s*\.\)\@!" contained

" An input: its sizes, conditions and the settings of its pixels.
exe 'syntax region cnnInput matchgroup=cnnInputWord start="' . s:start . 'input\>\%(\%(\s*\h\w*\)\=\s*:\)\@=" end="}\@<=" end="[;}]\@=" end="$" keepend contains=cnnSettings,cnnInputName,cnnWhere,cnnTimes,cnnSize,cnnSymbol,@cnnExpression'
syntax match cnnInputName "\h\w*\%(\s*:\)\@=" contained
syntax match cnnWhere "\<where\>" contained
syntax match cnnTimes "x\%(\d\|\u\|\>\)\@=" contained
syntax match cnnSize "\d\+\%(x\%(\d\|\u\|\>\)\)\@=\|x\@<=\d\+\>" contained
syntax match cnnSymbol "\<\u\>\|\u\%(x\%(\d\|\u\|\>\)\)\@=\|x\@<=\u\>" contained

" Settings: every word in front of `=` or `{` is a key.
exe 'syntax region cnnSection matchgroup=cnnSectionWord start="' . s:start . '\%(' . s:sections . '\)\>\%(\s*\%($\|{\|\h\)\)\@=" end="}\@<=" end="$" end=";\@=" contains=cnnSettings,cnnAs,cnnComment,cnnModel'
syntax region cnnSettings matchgroup=cnnBrace start="{" end="}" contained extend contains=@cnnExpression,cnnSettings,cnnKey
exe 'syntax match cnnKey "' . s:start . s:name . '\%(\s*\.\s*' . s:name . '\)*' . '\%(\s*\%(=\%([^=]\|$\)\|{\)\)\@=" contained'

" Bodies and brackets.
syntax region cnnBlock matchgroup=cnnBrace start="{" end="}" transparent extend contains=@cnnStatement fold
syntax region cnnBrackets matchgroup=cnnBracket start="(" end=")" transparent extend contains=@cnnExpression
syntax region cnnBrackets matchgroup=cnnBracket start="\[" end="\]" transparent extend contains=@cnnExpression

syntax region cnnText start=+"+ skip=+\\.+ end=+"+ end=+$+ oneline extend contains=cnnEscape
syntax region cnnMessage start=+"+ skip=+\\.+ end=+"+ end=+$+ oneline extend contained contains=cnnEscape,cnnPlaceholder
syntax match cnnEscape +\\[nt"\\]+ contained
syntax match cnnPlaceholder +{[^{}"]*}+ contained
syntax match cnnComment "#.*$" contains=cnnAllow,cnnTodo,@Spell
syntax match cnnAllow "\%(#\s*\)\@<=allow\s\+[EW]\d\+\%(\%(\s*,\s*\|\s\+\)[EW]\d\+\)*" contained
syntax keyword cnnTodo TODO FIXME contained

highlight default link cnnAllow SpecialComment
highlight default link cnnArgument Identifier
highlight default link cnnAs Keyword
highlight default link cnnAssertWord Keyword
highlight default link cnnCall Function
highlight default link cnnChoice Constant
highlight default link cnnComment Comment
highlight default link cnnCondition Conditional
highlight default link cnnConstant Boolean
highlight default link cnnCurrent Special
highlight default link cnnDefine Structure
highlight default link cnnDefined Type
highlight default link cnnEscape SpecialChar
highlight default link cnnFunction Function
highlight default link cnnHead Statement
highlight default link cnnImport Include
highlight default link cnnIn Repeat
highlight default link cnnInputWord Statement
highlight default link cnnKey Identifier
highlight default link cnnLet Statement
highlight default link cnnLogical Operator
highlight default link cnnLoop Repeat
highlight default link cnnMessage String
highlight default link cnnModel Type
highlight default link cnnNumber Number
highlight default link cnnOperator Operator
highlight default link cnnOutput Statement
highlight default link cnnPlaceholder SpecialChar
highlight default link cnnSectionWord Structure
highlight default link cnnSize Number
highlight default link cnnStep Function
highlight default link cnnSymbol Constant
highlight default link cnnText String
highlight default link cnnTimes Operator
highlight default link cnnTodo Todo
highlight default link cnnTotal Special
highlight default link cnnVersion Number
highlight default link cnnWhere Keyword

let b:current_syntax = 'cnn'

unlet s:bringing_in s:choices s:conditions s:constants s:defining s:functions s:logical s:loops s:paddings s:reserved s:sections s:totals
unlet s:start s:name s:word s:path
let &cpo = s:cpo_save
unlet s:cpo_save
