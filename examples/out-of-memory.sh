#!/usr/bin/env bash
# No room and no swap: the container runs out of memory, and its OOM killer chooses.
. "$(dirname "$0")/session.sh"
run 'mkdir cg; memcgfs mount -o ram=64M,swap=0 cg; cd cg'
run 'mkdir box .machine/tasks/101; echo 101 >box/tasks; echo 10 >box/memory.limit'

say "Ten pages fit."
run 'echo touch 0 10 w >.machine/tasks/101/ctl'
run 'cat box/memory.usage box/memory.failcnt'

say "One more does not.  Nothing can be swapped out, so five attempts to reclaim find nothing."
run 'echo touch 10 1 w >.machine/tasks/101/ctl'
run 'cat box/memory.usage box/memory.failcnt'

say "The task is a zombie until it is reaped.  What it had was given back when it was killed."
run 'grep -E "^(State|Touched|Died):" .machine/tasks/101/status; cat box/tasks'
run 'cat .machine/log'

say "Of two tasks in the container the one with the higher score goes, here the one that has mapped more." \
    "In 2007 the one that asked for the page was killed as well, whomever the OOM killer chose."
run 'mkdir .machine/tasks/201 .machine/tasks/202; echo 201 >box/tasks; echo 202 >box/tasks; echo 20 >box/memory.limit'
run 'echo touch 0 15 w >.machine/tasks/201/ctl; echo mmap 1000 100000 anon >.machine/tasks/201/ctl'
run 'cat .machine/tasks/201/oom_score .machine/tasks/202/oom_score'
run 'echo touch 0 10 w >.machine/tasks/202/ctl'
run 'grep -E "^(State|Died):" .machine/tasks/20?/status'
run 'tail -n 5 .machine/log; cat .machine/check'
