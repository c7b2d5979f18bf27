#!/usr/bin/env bash
# A container at its limit: the reclaimer swaps out its coldest pages, and only its own.
. "$(dirname "$0")/session.sh"
run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir small large; mkdir .machine/tasks/101 .machine/tasks/102'
run 'echo 64 >small/memory.limit; echo 101 >small/tasks; echo 102 >large/tasks'

say "Two tasks want 400 pages each.  One of them may have 64, and the rest of its pages go to swap."
run 'echo touch 0 400 w >.machine/tasks/101/ctl; echo touch 0 400 w >.machine/tasks/102/ctl'
run 'cat small/memory.usage large/memory.usage'
run 'grep -E "^Vm(RSS|Swap):" .machine/tasks/101/status'
run 'grep -E "^Vm(RSS|Swap):" .machine/tasks/102/status'

say "failcnt counts how often a page was refused at first.  Each time, reclaim made room for a batch of them."
run 'cat small/memory.failcnt large/memory.failcnt'

say "Page 0 has been swapped out: touching it again is a major fault, which waits for the disk."
run 'cut -d" " -f10,12 .machine/tasks/101/stat'
run 'echo touch 0 1 >.machine/tasks/101/ctl; cut -d" " -f10,12 .machine/tasks/101/stat'

say "The machine as a whole has memory in plenty: only the container is short of it."
run 'grep -E "^(MemTotal|MemFree|SwapFree):" .machine/meminfo'
run 'grep -E "^(pswpin|pswpout|allocstall) " .machine/vmstat'

say "With a higher limit the task gets its pages back, as it asks for them."
run 'echo 500 >small/memory.limit; echo touch 0 400 >.machine/tasks/101/ctl'
run 'cat small/memory.usage; grep -E "^Vm(RSS|Swap):" .machine/tasks/101/status'
run 'cat .machine/check'
