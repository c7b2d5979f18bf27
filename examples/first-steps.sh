#!/usr/bin/env bash
# The first minutes: a tree, a container, a task in it, and every page accounted for.
. "$(dirname "$0")/session.sh"

say "A machine of 64 MB with as much swap, mounted as a directory."
run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'ls'

say "A container is a directory.  Its files are there at once, and a limit counts pages of 4 KB."
run 'mkdir web; ls -l --time-style=+%F web'
run 'echo 64 >web/memory.limit; cat web/memory.limit web/memory.usage'

say "The machine itself is in .machine, which ls does not show.  A task is a directory there; pid 101, say."
run 'mkdir .machine/tasks/101; echo 101 >web/tasks; cat web/tasks'

say "Let it write to 10 pages of its memory, starting with page 0."
run 'echo touch 0 10 w >.machine/tasks/101/ctl'
run 'cat web/memory.usage'
run 'grep -E "^(Name|State|Pid|VmRSS|VmSwap):" .machine/tasks/101/status'

say "Memory that is read before it was written to is the shared zero page, and nobody's."
run 'echo touch 10 10 r >.machine/tasks/101/ctl; cat web/memory.usage'

say "A container with a member stays.  When the task is gone, so are its pages, and rmdir is done."
run 'rmdir web'
run 'rmdir .machine/tasks/101; cat web/memory.usage; rmdir web'

say "Whatever happened, the machine's books must balance."
run 'cat .machine/check'
run 'cd ..; memcgfs umount cg; ls cg'
