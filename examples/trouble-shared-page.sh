#!/usr/bin/env bash
# A page that two containers use is paid by whoever touched it first, and by nobody else.
. "$(dirname "$0")/session.sh"

usage='cat first/memory.usage second/memory.usage'

run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir first second .machine/tasks/101 .machine/tasks/102; echo 101 >first/tasks; echo 102 >second/tasks'
run 'echo write library 0 200 >.machine/tasks/101/ctl; echo fsync library >.machine/tasks/101/ctl; echo 1 >.machine/sys/vm/drop_caches'

say "Both map the same file of 200 pages, a library perhaps.  Task 101 reads it first."
run 'for task in 101 102; do echo mmap 0 200 file:library >.machine/tasks/$task/ctl; done'
run "echo touch 0 200 r >.machine/tasks/101/ctl; $usage"

say "Task 102 reads it as well.  It has 200 pages resident, of which its container has paid none; a limit of 10 does not hurt."
run "echo 10 >second/memory.limit; echo touch 0 200 r >.machine/tasks/102/ctl; $usage"
run 'grep -h VmRSS .machine/tasks/*/status; cat second/memory.failcnt'

say "Task 101 ends.  The pages are the first container's as long as anybody uses them, or the page cache keeps them."
run "rmdir .machine/tasks/101; $usage; rmdir first"

say "Only when they have left memory, and are read again, somebody else pays: under pressure the library changes hands."
run "echo munmap 0 200 >.machine/tasks/102/ctl; echo 1 >.machine/sys/vm/drop_caches; $usage"
run "echo 1000 >second/memory.limit; echo mmap 0 200 file:library >.machine/tasks/102/ctl"
run "echo touch 0 200 r >.machine/tasks/102/ctl; $usage; rmdir first; cat .machine/check; cd ..; memcgfs umount cg"

usage='cat first/memory.usage_in_bytes second/memory.usage_in_bytes'

say "The first release (dialect 2008) has the same rule: 819200 bytes for the one, nothing for the other."
run 'memcgfs mount -o dialect=2008,ram=64M,swap=64M cg; cd cg; mkdir first second .machine/tasks/101 .machine/tasks/102'
run 'echo 101 >first/tasks; echo 102 >second/tasks; echo 40K >second/memory.limit_in_bytes'
run 'echo write library 0 200 >.machine/tasks/101/ctl; echo fsync library >.machine/tasks/101/ctl; echo 1 >.machine/sys/vm/drop_caches'
run 'for task in 101 102; do echo mmap 0 200 file:library >.machine/tasks/$task/ctl; done'
run "for task in 101 102; do echo touch 0 200 r >.machine/tasks/\$task/ctl; done; $usage"

say "But the first container can be removed, and then nobody pays: not the top, not task 102, which has the pages mapped, and not" \
    "a third task that maps them as well."
run 'rmdir .machine/tasks/101 first; mkdir .machine/tasks/103; echo 103 >second/tasks'
run 'echo mmap 0 200 file:library >.machine/tasks/103/ctl; echo touch 0 200 r >.machine/tasks/103/ctl'
run 'grep -h VmRSS .machine/tasks/*/status; cat memory.usage_in_bytes second/memory.usage_in_bytes'

say "Who maps them when nobody else does, pays again."
run 'rmdir .machine/tasks/103; echo munmap 0 200 >.machine/tasks/102/ctl; echo 1000K >second/memory.limit_in_bytes'
run 'echo mmap 0 200 file:library >.machine/tasks/102/ctl; echo touch 0 200 r >.machine/tasks/102/ctl; cat second/memory.usage_in_bytes'
run 'cat .machine/check'
