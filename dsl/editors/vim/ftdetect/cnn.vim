autocmd BufNewFile,BufRead *.cnn setfiletype cnn
