#!/usr/bin/env bash
# memory.failcnt counts refused attempts, one for each round of reclaim: not pages, and not failures that anybody saw.
. "$(dirname "$0")/session.sh"

numbers='cat box/memory.usage box/memory.failcnt'

run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir box .machine/tasks/101; echo 101 >box/tasks; echo touch 0 512 w >.machine/tasks/101/ctl'

say "The limit is lowered below the usage.  That is accepted, and nothing happens."
run "echo 256 >box/memory.limit; $numbers"

say "One page more pays for all that is too much.  It takes several rounds, each frees a batch and is refused again, and each" \
    "is counted; nothing failed for the task, which has its page."
run "echo touch 512 1 w >.machine/tasks/101/ctl; $numbers"

say "From here on 100 new pages cost a few refusals, for one round makes room for many."
run "echo touch 600 100 w >.machine/tasks/101/ctl; $numbers"

say "Where there is nothing to reclaim, the one failure that a task sees counts six times."
run 'mkdir full .machine/tasks/201; echo 201 >full/tasks; echo 40 >full/memory.limit'
run 'echo mmap 0 40 anon locked >.machine/tasks/201/ctl; cat full/memory.usage full/memory.failcnt'
run 'echo touch 40 1 w >.machine/tasks/201/ctl; cat full/memory.failcnt; cat .machine/check; cd ..; memcgfs umount cg'

numbers='cat box/memory.usage_in_bytes box/memory.failcnt'

say "The first release (dialect 2008) counts the same way.  Here with a disk that answers at once, as it was recorded on a real" \
    "kernel: lowered from 512 pages to 256, the one page more counts 10, and leaves 225 pages, which are 921600 bytes."
run 'memcgfs mount -o dialect=2008,ram=64M,swap=64M,disk=0,0,128 cg; cd cg'
run 'mkdir box .machine/tasks/101; echo 101 >box/tasks; echo touch 0 512 w >.machine/tasks/101/ctl'
run "echo 1M >box/memory.limit_in_bytes; echo touch 512 1 w >.machine/tasks/101/ctl; $numbers"

say "And so does a failure: six times."
run 'mkdir full .machine/tasks/201; echo 201 >full/tasks; echo 160K >full/memory.limit_in_bytes'
run 'echo mmap 0 40 anon locked >.machine/tasks/201/ctl; echo touch 40 1 w >.machine/tasks/201/ctl; cat full/memory.failcnt'
run 'cat .machine/check'
