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
run 'echo touch 40 1 w >.machine/tasks/201/ctl; cat full/memory.failcnt; cat .machine/check'
