#!/usr/bin/env bash
# The guided session of `make run`: containers, tasks, a limit, the reclaimer, the OOM killer, files, a trouble of 2007, a real program.
. "$(dirname "$0")/session.sh"

printf '%s\n' \
    "This is the Linux memory controller of July 2007, emulated page by page and mounted as a directory." \
    "Each command is printed before its answer.  Limits and usage count pages of 4 KB."

say "A machine of 64 MB with as much swap is mounted, and ordinary commands do the rest."
run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'ls'

say "Two containers.  A directory is one, and echo sets its limit: 64 pages for web, 12 for db."
run 'mkdir web db'
run 'echo 64 >web/memory.limit; echo 12 >db/memory.limit'

say "Three tasks, in .machine where the machine itself is.  Two go into web, one into db."
run 'mkdir .machine/tasks/101 .machine/tasks/102 .machine/tasks/201'
run 'echo 101 >web/tasks; echo 102 >web/tasks; echo 201 >db/tasks'
run 'head web/tasks db/tasks'

say "Task 101 writes to 60 pages, which fit.  Each first touch of a page is a fault that charges the container."
run 'echo touch 0 60 w >.machine/tasks/101/ctl'
run 'cat web/memory.usage web/memory.failcnt'

say "Task 102 wants 200 more.  The container is held to its limit: each time it would grow beyond, the reclaimer makes" \
    "room, and swaps out the coldest pages.  Those are task 101's, and then the earlier ones of task 102."
run 'echo touch 0 200 w >.machine/tasks/102/ctl'
run 'cat web/memory.usage web/memory.failcnt'
run 'grep -E "^Vm(RSS|Swap):" .machine/tasks/101/status .machine/tasks/102/status'
run 'grep -E "^(pswpout|pswpin|allocstall) " .machine/vmstat; grep -E "^(MemFree|SwapFree):" .machine/meminfo'

say "Page 0 of task 101 comes back from swap: a major fault, which waits for the disk on the machine's own clock."
run 'cat .machine/clock; echo touch 0 1 >.machine/tasks/101/ctl; cat .machine/clock'

say "In the other container the task locks its pages in memory, so that there is nothing to reclaim.  One page more ..."
run 'echo mmap 0 12 anon locked >.machine/tasks/201/ctl; cat db/memory.usage'
run 'echo touch 12 1 w >.machine/tasks/201/ctl'

say "... and the container is out of memory.  Why was it that task?  The log has the score of each, and who was spared."
run 'cat .machine/log'
run 'grep -E "^(State|Died|Touched):" .machine/tasks/201/status; cat db/memory.usage db/memory.failcnt'

say "Files go through the machine's page cache.  A real one of 112 pages is copied in, written to the machine's disk, and dropped" \
    "from its memory.  Then a task in a container of 64 pages writes 20 pages of its own, and reads 44 of that file."
run 'cp "$checkout"/examples/traces/shelf.trace.zst .machine/files/trace; sync .machine/files/trace; echo 1 >.machine/sys/vm/drop_caches'
run 'mkdir shop .machine/tasks/301; echo 64 >shop/memory.limit; echo 301 >shop/tasks'
run 'echo fadvise trace 0 112 random >.machine/tasks/301/ctl; echo write orders 0 20 >.machine/tasks/301/ctl'
run 'echo read trace 0 44 >.machine/tasks/301/ctl; cat shop/memory.usage; grep -E "^(Cached|Dirty):" .machine/meminfo'

say "One page more.  Clean cache goes at once, for the disk has it as well.  Dirty pages would have to be written first: they stay."
run 'echo read trace 44 1 >.machine/tasks/301/ctl; cat shop/memory.usage; grep -E "^(Cached|Dirty):" .machine/meminfo'

say "The rest of the file does not fit without them, so they are written, and go too.  Nothing is lost: all comes from the disk again."
run 'echo read trace 45 67 >.machine/tasks/301/ctl; cat shop/memory.usage; grep -E "^(Cached|Dirty):" .machine/meminfo'
run 'cmp "$checkout"/examples/traces/shelf.trace.zst .machine/files/trace && echo same; grep pgpgout .machine/vmstat'

say "One of the troubles of 2007, which docs/2007.md explains: a page is paid by who touched it first.  Task 302 in a container" \
    "of its own reads what 301 has read, for nothing; and when 301 has ended, its container cannot go."
run 'echo 1 >.machine/sys/vm/drop_caches; mkdir guest .machine/tasks/302; echo 302 >guest/tasks'
run 'echo read trace 0 30 >.machine/tasks/301/ctl; echo read trace 0 30 >.machine/tasks/302/ctl; cat shop/memory.usage guest/memory.usage'
run 'rmdir .machine/tasks/301; cat shop/memory.usage; rmdir shop'

say "Everything adds up: lists, flags, counters, page tables, swap map."
run 'cat .machine/check'
run 'rmdir .machine/tasks/*; rmdir web db guest; cd ..; memcgfs umount cg'

say "Last, a real program: every access to memory that it made was recorded, and is driven through a container at several" \
    "limits, without a mount.  What does it cost to give it less memory?"
cd "$checkout"
run 'memcgfs replay examples/traces/shelf.trace.zst --limit 256K --limit 512K --limit 1M --limit 2M'
