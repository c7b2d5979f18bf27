#!/usr/bin/env bash
# A container of 2007 that cannot be removed: pages in the swap cache that nobody maps any more are still charged to it.
. "$(dirname "$0")/session.sh"

run 'mkdir cg; memcgfs mount -o ram=64M,swap=64M cg; cd cg'
run 'mkdir web; echo 64 >web/memory.limit'

say "A task writes to 300 pages and reads the first 40 again, which come back from swap, with others read ahead.  It ends."
run 'mkdir .machine/tasks/101; echo 101 >web/tasks'
run 'echo touch 0 300 w >.machine/tasks/101/ctl; echo touch 0 40 r >.machine/tasks/101/ctl'
run 'rmdir .machine/tasks/101'

say "No task is left, no page is mapped.  But pages that the disk was still reading ahead were locked when the task gave up" \
    "their slots, and could not be freed then.  They stay in the swap cache, used by nobody, and each is charged."
run 'cat web/tasks; cat web/memory.usage; grep SwapCached .machine/meminfo'
run 'rmdir web'

say "Whoever waits, waits for ever: these pages are no file's, so neither sync nor drop_caches looks at them."
run 'mkdir .machine/tasks/7; echo sync >.machine/tasks/7/ctl; echo 3 >.machine/sys/vm/drop_caches; echo +60s >.machine/clock'
run 'cat web/memory.usage; rmdir web'

say "The cure of the day: control_type 1 leaves the swap cache out, before it is filled.  The same again:"
run 'mkdir cured; echo 64 >cured/memory.limit; echo 1 >cured/memory.control_type'
run 'mkdir .machine/tasks/101; echo 101 >cured/tasks'
run 'echo touch 0 300 w >.machine/tasks/101/ctl; echo touch 0 40 r >.machine/tasks/101/ctl'
run 'rmdir .machine/tasks/101; grep SwapCached .machine/meminfo; cat cured/memory.usage; rmdir cured'

say "The cure of the first release: memory.force_empty forgets what is charged.  Its rmdir did so by itself."
run 'echo 1 >web/memory.force_empty; cat web/memory.usage; rmdir web; cat .machine/check; cd ..; memcgfs umount cg'

say "The first release itself (dialect 2008).  What reclaim has unmapped is in the swap cache, and charged to nobody: of 300 pages" \
    "the container pays for the 45 that are mapped, 184320 bytes.  When the task ends nothing is charged, whatever stays there."
run 'memcgfs mount -o dialect=2008,ram=64M,swap=64M cg; cd cg; mkdir web; echo 256K >web/memory.limit_in_bytes'
run 'mkdir .machine/tasks/101; echo 101 >web/tasks; echo touch 0 300 w >.machine/tasks/101/ctl'
run 'cat web/memory.usage_in_bytes; grep SwapCached .machine/meminfo'
run 'rmdir .machine/tasks/101; cat web/memory.usage_in_bytes'

say "Page cache does stay, but keeps no container: rmdir forgets who is charged.  It is nobody's then, not the top's either."
run 'mkdir .machine/tasks/102; echo 102 >web/tasks; echo write data 0 40 >.machine/tasks/102/ctl; rmdir .machine/tasks/102'
run 'cat web/memory.usage_in_bytes; rmdir web; cat memory.usage_in_bytes; grep ^Cached .machine/meminfo; cat .machine/check'
