#!/usr/bin/env bash
# A task moves to another container: its pages stay charged where they were, new ones go to where it is.
. "$(dirname "$0")/session.sh"
run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir before after .machine/tasks/101; echo 101 >before/tasks'
run 'echo touch 0 20 >.machine/tasks/101/ctl; cat before/memory.usage after/memory.usage'

say "Attached elsewhere, it is a member there, and its pages are still the first one's."
run 'echo 101 >after/tasks; cat before/tasks; cat after/tasks'
run 'cat before/memory.usage after/memory.usage'

say "So the first container has no task any more, and is busy all the same."
run 'rmdir before'

say "What it touches from now on is the second one's."
run 'echo touch 100 5 >.machine/tasks/101/ctl; cat before/memory.usage after/memory.usage'

say "A child is born where its parent is."
run 'echo fork 102 >.machine/tasks/101/ctl; cat after/tasks; cat .machine/tasks/102/cgroup'

say "Its writes to shared pages copy them, and the copies are charged to where it is."
run 'echo touch 0 8 w >.machine/tasks/102/ctl; cat before/memory.usage after/memory.usage'
run 'rmdir .machine/tasks/101 .machine/tasks/102; rmdir before after; cat .machine/check'
