"""Writing one model out: blocks, loops, choices and defaults resolved, as a file that is the same network."""
